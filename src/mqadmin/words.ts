/** What a line cannot be split into. */
export class WordsError extends Error {
  override name = 'WordsError'
}

/** A word, of parts in single quotes, in double quotes, escaped by a backslash, or bare; or blanks; or the rest. */
const PARTS = /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^\s'"\\]+)|(\s+)|([^])/g

/** Splits a line as a shell does, without anything that a shell puts in place of something. Throws WordsError. */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | null = null
  for (const [, single, double, escaped, bare, blank, open] of line.matchAll(PARTS)) {
    if (open !== undefined)
      throw new WordsError(open === '\\' ? 'nothing follows the \\' : `a ${open} is not closed`)
    if (blank !== undefined) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + (single ?? unescaped(double) ?? escaped ?? bare)
  }
  return word === null ? words : [...words, word]
}

function unescaped(text: string | undefined): string | undefined {
  return text?.replaceAll(/\\(["\\])/g, '$1')
}
