import {
  calleeName,
  childrenOf,
  nameOfFunction,
  qualified,
  steppedNames,
  touchOf,
  walk,
  type Node,
  type ParsedModule,
} from './step-source.ts'

/** A place in a module where others may run; `text` is its line. */
export interface Place {
  path: string
  line: number
  text: string
}

/** The body of a function of `$import` and `$s` that returns the module's exports. */
export interface SteppedModule {
  path: string
  body: string
}

/**
 * Turns modules of plain code into ones whose functions are generators that yield before every touch
 * of shared memory, so that a scheduler can let another thread run there:
 *
 *    Atomics.load(w, at)          (yield 7, Atomics.load(w, at))
 *    words[at] !== high           (yield 8, words[at]) !== high
 *    Atomics.wait(w, at, seen)    (yield* $s.wait(9, w, at, seen))        notify and waitAsync, too
 *    bytes.copyWithin(0, a, b)    (yield* $s.copyWithin(10, bytes, 0, a, b))        in pieces
 *    written.value()              ($s.isSteps($ = written.value()) ? yield* $ : $)
 *
 * Which calls to follow goes by name: a name is stepped when a function of that name, in any of the
 * modules, touches shared memory or calls a stepped name; `given` ones are, too. A plain value passes
 * through such a call, so a name too many costs time, not truth. Constructors run in one go.
 */
export function transformModules(
  modules: readonly ParsedModule[],
  given: readonly string[],
): { modules: SteppedModule[]; places: Place[] } {
  const names = steppedNames(modules, given)
  const places: Place[] = []
  const stepped = modules.map((module) => ({
    path: module.path,
    body: new ModuleTransform(module, names, places).body(),
  }))
  return { modules: stepped, places }
}

/** The same form for a module that is run as it is: nobody runs in between. */
export function plainModule(module: ParsedModule): SteppedModule {
  return { path: module.path, body: new ModuleTransform(module, new Set(), []).body() }
}

/** Where code stands decides what a stepped call in it becomes. */
type Surroundings = 'steps' | 'constructor' | 'plain'

class ModuleTransform {
  readonly #module: ParsedModule
  readonly #names: ReadonlySet<string>
  readonly #places: Place[]
  readonly #edits: Edits
  readonly #exports: string[] = []

  constructor(module: ParsedModule, names: ReadonlySet<string>, places: Place[]) {
    this.#module = module
    this.#names = names
    this.#places = places
    this.#edits = new Edits(module.code)
  }

  body(): string {
    for (const statement of this.#module.tree['body'] as Node[]) this.#topLevel(statement)
    return `'use strict'\n${this.#edits.output()}\nreturn { ${this.#exports.join(', ')} }`
  }

  #topLevel(statement: Node): void {
    if (statement.type === 'ImportDeclaration') {
      this.#edits.cut(statement.start, statement.end, importOf(statement))
      return
    }
    if (statement.type !== 'ExportNamedDeclaration') {
      this.#visit(statement, 'plain')
      return
    }
    const declaration = statement['declaration'] as Node
    this.#edits.cut(statement.start, declaration.start, '')
    this.#exports.push(...declaredNames(declaration))
    this.#visit(declaration, 'plain')
  }

  #visit(node: Node, surroundings: Surroundings): void {
    const inner = this.#enter(node, surroundings)
    for (const statement of statementsOf(node)) this.#edits.after(statement.end, ';')
    if (inner === 'steps') this.#wrap(node)
    else if (inner === 'constructor' && this.#isSteppedCall(node)) {
      this.#edits.around(node, '$s.atOnce(', ')')
    }
    // What is assigned to is no expression of its own.
    const target = node.type === 'AssignmentExpression' ? node['left'] : null
    for (const child of childrenOf(node)) if (child !== target) this.#visit(child, inner)
  }

  /** Makes generators of functions; returns what the inside of the node is. */
  #enter(node: Node, surroundings: Surroundings): Surroundings {
    const name = nameOfFunction(node)
    if (name !== null) {
      if (!this.#names.has(qualified(name, this.#module.path))) return 'plain'
      this.#makeGenerator(node)
      return 'steps'
    }
    if (node.type === 'MethodDefinition') {
      return node['kind'] === 'constructor' ? 'constructor' : 'plain'
    }
    if (node.type !== 'ArrowFunctionExpression' || surroundings === 'plain') return surroundings
    walk(node, (inner) => {
      this.#refuse(inner, 'a step in an arrow function')
      if (this.#isSteppedCall(inner)) this.#fail(inner, 'a stepped call in an arrow function')
    })
    return 'plain'
  }

  #refuse(node: Node, problem: string): void {
    if (touchOf(node, this.#module) !== null) this.#fail(node, problem)
  }

  #fail(node: Node, problem: string): never {
    throw new Error(`${this.#module.path}:${this.#lineOf(node)}: ${problem}`)
  }

  #makeGenerator(node: Node): void {
    const isMethod = node.type === 'MethodDefinition'
    const name = (isMethod ? node['key'] : node['id']) as Node
    this.#edits.cut(node.start, name.start, isMethod ? '*' : 'function* ')
    const owner = isMethod ? (node['value'] as Node) : node
    this.#edits.before((owner['body'] as Node).start + 1, ' let $;')
  }

  #wrap(node: Node): void {
    if (node.type === 'AwaitExpression') {
      this.#edits.cut(node.start, (node['argument'] as Node).start, '(yield* $s.settled(')
      this.#edits.after(node.end, '))')
      return
    }
    const touch = touchOf(node, this.#module)
    if (touch === 'waiting' || touch === 'bulk') this.#wrapCall(node, touch === 'bulk')
    else if (touch !== null) this.#wrapTouch(node)
    else if (this.#isSteppedCall(node)) {
      this.#edits.around(node, '($s.isSteps($ = ', ') ? yield* $ : $)')
    }
  }

  /** One touch, one step: what is inside would happen together with it. */
  #wrapTouch(node: Node): void {
    this.#edits.around(node, `(yield ${this.#placeOf(node)}, `, ')')
    for (const child of childrenOf(node)) {
      if (child === node['left']) continue
      walk(child, (inner) => this.#refuse(inner, 'two touches in one step'))
    }
  }

  /** `object.name(…)` becomes `(yield* $s.name(place, object, …))`; `Atomics` itself goes. */
  #wrapCall(call: Node, keepsObject: boolean): void {
    const callee = call['callee'] as Node
    const object = callee['object'] as Node
    const start = `(yield* $s.${calleeName(call)}(${this.#placeOf(call)}, `
    this.#edits.around(call, start, ')')
    this.#edits.cut(keepsObject ? object.end : call.start, callee.end + 1, keepsObject ? ', ' : '')
  }

  #isSteppedCall(node: Node): boolean {
    if (node.type !== 'CallExpression') return false
    return this.#names.has(qualified(calleeName(node), this.#module.path))
  }

  #placeOf(node: Node): number {
    const { path, source } = this.#module
    const line = this.#lineOf(node)
    return this.#places.push({ path, line, text: source.split('\n')[line - 1]!.trim() }) - 1
  }

  #lineOf(node: Node): number {
    return this.#module.code.slice(0, node.start).split('\n').length
  }
}

/** Changes to a text, told from the outside in. */
class Edits {
  readonly #code: string
  readonly #before = new Map<number, string>()
  readonly #after = new Map<number, string>()
  readonly #cuts = new Map<number, { end: number; text: string }>()

  constructor(code: string) {
    this.#code = code
  }

  before(at: number, text: string): void {
    this.#before.set(at, (this.#before.get(at) ?? '') + text)
  }

  after(at: number, text: string): void {
    this.#after.set(at, text + (this.#after.get(at) ?? ''))
  }

  around(node: Node, start: string, end: string): void {
    this.before(node.start, start)
    this.after(node.end, end)
  }

  cut(start: number, end: number, text: string): void {
    if (start === end) this.before(start, text)
    else this.#cuts.set(start, { end, text })
  }

  output(): string {
    let output = ''
    for (let at = 0; at <= this.#code.length; at++) {
      output += (this.#after.get(at) ?? '') + (this.#before.get(at) ?? '')
      const cut = this.#cuts.get(at)
      if (cut === undefined) output += this.#code[at] ?? ''
      else {
        output += cut.text
        at = cut.end - 1
      }
    }
    return output
  }
}

/** The sources have no semicolons, and what is put in starts with a parenthesis. */
function statementsOf(node: Node): Node[] {
  if (node.type === 'PropertyDefinition') return [node]
  if (/^(Expression|Return|Throw|Break|Continue)Statement$/.test(node.type)) return [node]
  if (node.type !== 'BlockStatement') return []
  return (node['body'] as Node[]).filter(({ type }) => type === 'VariableDeclaration')
}

function importOf(statement: Node): string {
  const { value } = statement['source'] as { value: string }
  const names = (statement['specifiers'] as Node[]).map((specifier) => {
    const [imported, local] = [specifier['imported'], specifier['local']] as Node[]
    return `${imported!['name'] as string}: ${local!['name'] as string}`
  })
  return `const { ${names.join(', ')} } = $import('${value}');`
}

function declaredNames(declaration: Node): string[] {
  const named =
    declaration.type === 'VariableDeclaration'
      ? (declaration['declarations'] as Node[])
      : [declaration]
  return named.map((node) => (node['id'] as { name: string }).name)
}
