/** Exit codes of the start-up classes (Apache 5.3.3); the negative ones of Java as a shell sees them. */
export const ExitCode = {
  OK: 0,
  /** The command line could not be read. */
  USAGE: 1,
  /** Java's -3: the name server address could not be read. */
  BAD_ADDRESS: 253,
  /** Java's -1: the port is in use, a file is missing, a config value is wrong. */
  FAILED: 255,
} as const
