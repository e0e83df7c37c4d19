import { expect, test } from 'vitest';
import { networkCards } from './network-cards.js';

const SAID = `@ 0000:00:1f.6 eno1 3c:ec:ef:00:00:01
driver: e1000e
firmware-version: 0.5-4
@ 0000:41:00.0 ens1f1 3c:ec:ef:00:00:03
@ 0000:41:00.0 ens1f0 3c:ec:ef:00:00:02
firmware-version: 14.32.1010 (MT_0000000359)
`;

test('each card has its interfaces in order, their addresses, and what the tool says of them', () => {
  const cards = networkCards(SAID);
  expect(cards.interfacesOf('0000:00:1f.6')).toEqual(['eno1']);
  expect(cards.interfacesOf('0000:41:00.0')).toEqual(['ens1f0', 'ens1f1']);
  expect(cards.read('sys/bus/pci/devices/0000:41:00.0/net/ens1f0/address')).toBe('3c:ec:ef:00:00:02');
  expect(cards.driverOf('eno1')).toBe('driver: e1000e\nfirmware-version: 0.5-4\n');
  expect(cards.driverOf('ens1f1')).toBe('');
});

test('what is not there is unknown', () => {
  const cards = networkCards(SAID);
  expect(cards.interfacesOf('0000:00:02.0')).toEqual([]);
  expect(cards.read('sys/bus/pci/devices/0000:00:1f.6/net/ens1f0/address')).toBeUndefined();
  expect(cards.driverOf('wlan0')).toBeUndefined();
  expect(networkCards('').interfacesOf('0000:00:1f.6')).toEqual([]);
});
