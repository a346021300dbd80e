/** JSON as fastjson prints it for people: tabs, no blank behind a colon, no line breaks of a list itself. */
export function javaJson(value: unknown): string {
  return write(value, '')
}

function write(value: unknown, indent: string): string {
  if (Array.isArray(value)) return `[${value.map((each) => write(each, `${indent}\t`)).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  if (entries.length === 0) return '{}'
  const inner = `${indent}\t`
  const lines = entries.map(([key, each]) => `${inner}${JSON.stringify(key)}:${write(each, inner)}`)
  return `{\n${lines.join(',\n')}\n${indent}}`
}
