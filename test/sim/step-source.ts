import { stripTypeScriptTypes } from 'node:module'
import { parseAst } from 'vitest/node'

/** A module of the product, as its file has it or with a mutation. */
export interface Module {
  /** From the root of the repository. */
  path: string
  source: string
}

export interface ParsedModule extends Module {
  /** Without types; every character stands where it stood. */
  code: string
  tree: Node
}

/** Node of the syntax tree: what all have in common, and fields by name. */
export interface Node {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

/** Arrays of shared words: touching an element is a step, also without `Atomics`. */
const WORDS = /^(?:words|this\.#(?:words|bits|summary))$/
/** Bulk work on shared bytes, which others may see half-done. */
const BULK = new Set(['copyWithin', 'fill', 'set'])
const BULK_MODULE = /(?:log-window|byte-ring)\.ts$/
/** A store of a few bytes of the window, or a look at a record in it. */
const WINDOW_ACCESS = /^(?:set(?:Int|Uint)\d+|readRecord)$/
const WINDOW_MODULE = /(?:log-appender|dispatch-agent)\.ts$/
const WAITING = new Set(['wait', 'notify', 'waitAsync'])

export function parseModule({ path, source }: Module): ParsedModule {
  const code = stripTypeScriptTypes(source)
  return { path, source, code, tree: parseAst(code) as unknown as Node }
}

/** What a module imports and has at run time. */
export function importedNames({ tree }: ParsedModule): string[] {
  return (tree['body'] as Node[])
    .filter(({ type }) => type === 'ImportDeclaration')
    .map((statement) => (statement['source'] as { value: string }).value)
}

/** By name, until nothing is added: what touches shared memory, and what calls that. */
export function steppedNames(
  modules: readonly ParsedModule[],
  given: readonly string[],
): Set<string> {
  const names = new Set(given)
  const functions = modules.flatMap((module) => functionsOf(module))
  let before = -1
  while (names.size > before) {
    before = names.size
    for (const { name, touches, calls } of functions) {
      if (touches || calls.some((call) => names.has(call))) names.add(name)
    }
  }
  return names
}

function functionsOf(module: ParsedModule): { name: string; touches: boolean; calls: string[] }[] {
  const found: { name: string; touches: boolean; calls: string[] }[] = []
  walk(module.tree, (node) => {
    const name = nameOfFunction(node)
    if (name === null) return
    const inside = { name: qualified(name, module.path), touches: false, calls: [] as string[] }
    walk(node, (inner) => {
      if (touchOf(inner, module) !== null) inside.touches = true
      else if (inner.type === 'CallExpression') {
        inside.calls.push(qualified(calleeName(inner), module.path))
      }
    })
    found.push(inside)
  })
  return found
}

/** Private names of one module are not those of another. */
export function qualified(name: string, path: string): string {
  return name.startsWith('#') ? `${name} of ${path}` : name
}

/** Functions and methods; constructors and getters are none. */
export function nameOfFunction(node: Node): string | null {
  if (node.type === 'FunctionDeclaration') return (node['id'] as { name: string }).name
  if (node.type === 'MethodDefinition' && node['kind'] === 'method' && node['static'] !== true) {
    return keyName(node['key'] as Node)
  }
  return null
}

function keyName(key: Node): string {
  if (key.type === 'PrivateIdentifier') return `#${key['name'] as string}`
  return key.type === 'Identifier' ? (key['name'] as string) : ''
}

export function calleeName(call: Node): string {
  const callee = call['callee'] as Node
  return callee.type === 'MemberExpression' ? keyName(callee['property'] as Node) : keyName(callee)
}

export type Touch = 'atomics' | 'waiting' | 'words' | 'bulk' | 'access'

/** How a node touches shared memory, itself and not in what it holds; null when it does not. */
export function touchOf(node: Node, module: ParsedModule): Touch | null {
  if (node.type === 'MemberExpression') return isWord(node, module) ? 'words' : null
  if (node.type === 'AssignmentExpression') {
    return isWord(node['left'] as Node, module) ? 'words' : null
  }
  return node.type === 'CallExpression' ? touchOfCall(node, module.path) : null
}

function isWord(node: Node, { code }: ParsedModule): boolean {
  if (node.type !== 'MemberExpression' || node['computed'] !== true) return false
  const object = node['object'] as Node
  return WORDS.test(code.slice(object.start, object.end))
}

function touchOfCall(node: Node, path: string): Touch | null {
  const name = calleeName(node)
  if (WINDOW_ACCESS.test(name) && WINDOW_MODULE.test(path)) return 'access'
  const callee = node['callee'] as Node
  if (callee.type !== 'MemberExpression') return null
  const object = callee['object'] as Node
  if (object['name'] === 'Atomics') return WAITING.has(name) ? 'waiting' : 'atomics'
  return BULK_MODULE.test(path) && BULK.has(name) ? 'bulk' : null
}

export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node)
  for (const child of childrenOf(node)) walk(child, visit)
}

export function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter(
      (value): value is Node => typeof value === 'object' && value !== null && 'type' in value,
    )
}
