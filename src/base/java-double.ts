/** `1.0`, `1.0E7`, `1.0E-5`: how Java prints a double. */
export function javaDouble(value: number): string {
  const size = Math.abs(value)
  if (size === 0 || (size >= 1e-3 && size < 1e7)) {
    return Number.isInteger(value) ? value.toFixed(1) : String(value)
  }
  const [digits, exponent] = value.toExponential().split('e')
  return `${digits!.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}
