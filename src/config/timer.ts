/** Settings of messages that are delivered later. They stand in `broker.conf` beside those of the broker. */
import { delayLevels } from './delay-levels.ts'
import { bool, bytes, int, milliseconds } from './setting.ts'

export const timerSettings = {
  messageDelayLevel: delayLevels({
    doc: 'How long messages of delay level 1, 2, … wait. Each message keeps the time that its level meant when it was stored.',
  }),
  timerWheelEnable: bool({
    default: true,
    important: true,
    doc: 'Take messages that are to be delivered at a time of their own (TIMER_DELIVER_MS and the like).',
  }),
  timerMaxDelaySec: int({
    default: 3 * 86_400,
    min: 1,
    unit: 's',
    doc: 'How far ahead that time may be.',
  }),
  timerPrecisionMs: int({
    default: 1000,
    min: 1,
    max: 12_000,
    unit: 'ms',
    doc: 'Width of a slot of the timer wheel. Apache delivers a slot when it is over, RingMQ each message at its time. Must stay the same for the life of a store.',
  }),
  timerRollWindowSlot: int({
    default: 2 * 86_400,
    min: 0,
    doc: 'Slots that the timer wheel looks ahead. A message of a later time is stored once more on its way. Below 2 or above 604740 it counts as 604740.',
  }),
  timerFlushIntervalMs: milliseconds({
    default: 1000,
    min: 10,
    doc: 'Time between two check points of the timer wheel. After a power failure, what was delivered since is delivered again.',
  }),
  mappedFileSizeTimerLog: bytes({
    default: 100 * 1024 ** 2,
    min: 1024,
    doc: 'Length of one timer log file. Must stay the same for the life of a store.',
  }),
  recallMessageEnable: bool({
    default: false,
    doc: 'Producers may call back messages that wait for their time.',
  }),
  allowRecallWhenBrokerNotWriteable: bool({
    default: true,
    doc: 'They may do so while brokerPermission forbids to send.',
  }),
}
