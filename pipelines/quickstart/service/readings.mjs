/** Count, mean and largest of a list of numbers; an empty list has no mean and no largest. */
export function summarise(readings) {
  if (readings.length === 0) return { count: 0 };
  const sum = readings.reduce((total, reading) => total + reading, 0);
  return { count: readings.length, mean: sum / readings.length, largest: Math.max(...readings) };
}
