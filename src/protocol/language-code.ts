/** What a peer is written in: index = its code in a binary header. Source: Apache 5.3.3, LanguageCode. */
export const languageCodes = [
  'JAVA',
  'CPP',
  'DOTNET',
  'PYTHON',
  'DELPHI',
  'ERLANG',
  'RUBY',
  'OTHER',
  'HTTP',
  'GO',
  'PHP',
  'OMS',
  'RUST',
  'NODE_JS',
] as const

export type LanguageCode = (typeof languageCodes)[number]

/** By code or by name. One we have not heard of is OTHER: nobody is turned away for its language. */
export function languageOf(codeOrName: number | string): LanguageCode {
  if (typeof codeOrName === 'number') return languageCodes[codeOrName] ?? 'OTHER'
  return languageCodes.find((name) => name === codeOrName) ?? 'OTHER'
}
