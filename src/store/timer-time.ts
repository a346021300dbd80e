/**
 * Slots of the wheel are `precisionMs` wide. What is due in (S, S + precision] lies in the slot that begins
 * at S: Apache 5.3.3 delivers a slot when it is over, so it takes an exact multiple one slot down. Units hold
 * the time within the slot, too; a multiple stands for the end of its slot, as in those that Apache wrote.
 */

/** The time that a unit holds for a message that is due then. */
export function storedTime(dueMs: number, precisionMs: number): number {
  return dueMs % precisionMs === 0 ? dueMs - precisionMs : dueMs
}

/** When a unit that holds this time is due. */
export function dueTime(storedMs: number, precisionMs: number): number {
  return storedMs % precisionMs === 0 ? storedMs + precisionMs : storedMs
}

/** Begin of the slot that a time lies in. */
export function slotBegin(timeMs: number, precisionMs: number): number {
  return timeMs - (timeMs % precisionMs)
}
