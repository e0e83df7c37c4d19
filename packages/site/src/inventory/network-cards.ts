/** Network cards as a look from outside of the sandbox says them: lines `@ SLOT INTERFACE ADDRESS`, below each what `ethtool -i` says of it. */

/** Asked as the tree and the tool would be. */
export interface NetworkCards {
  readonly interfacesOf: (slot: string) => readonly string[];
  /** Below `sys/bus/pci/devices/SLOT/net`: the file `INTERFACE/address` is all that there is. */
  readonly read: (file: string) => string | undefined;
  readonly driverOf: (name: string) => string | undefined;
}

/** Reads them. */
export function networkCards(text: string): NetworkCards {
  const cards = text.split(/^@ /m).slice(1).map(cardOf);
  return {
    interfacesOf: (slot) =>
      cards
        .filter((card) => card.slot === slot)
        .map(({ name }) => name)
        .sort(),
    read: (file) => cards.find(({ slot, name }) => file === `sys/bus/pci/devices/${slot}/net/${name}/address`)?.address,
    driverOf: (name) => cards.find((card) => card.name === name)?.driver,
  };
}

function cardOf(record: string): { readonly slot: string; readonly name: string; readonly address: string; readonly driver: string } {
  const end = record.indexOf('\n');
  const [slot = '', name = '', address = ''] = record.slice(0, end).split(' ');
  return { slot, name, address, driver: record.slice(end + 1) };
}
