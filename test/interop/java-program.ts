import { inject } from 'vitest'
import { ClientProgram } from './client-program.ts'
import type { ProgramCommand, SerializeType } from './client-program.ts'
import { JDK_RIGHTS } from './java-runtime.ts'
import type { JarSet } from './java-runtime.ts'

export interface JavaProgramOptions {
  program:
    | 'Produce'
    | 'Transact'
    | 'Consume'
    | 'Pull'
    | 'LitePull'
    | 'Admin'
    | 'Tool'
    | 'ConsumeByPop'
    | 'Ask'
    | 'Answer'
    | 'Timed'
  jars?: JarSet
  serializeType?: SerializeType
  /** Where logs and offset files go. */
  home: string
  options: Record<string, string | number | boolean>
}

// Small, and quick to start: each runs for a few seconds beside a broker.
const VIRTUAL_MACHINE = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** One of test/interop/java, running on Apache's jars in its own JVM. */
export class JavaProgram extends ClientProgram {
  constructor(options: JavaProgramOptions) {
    super(commandOf(options))
  }
}

function commandOf({
  program,
  jars,
  serializeType,
  home,
  options,
}: JavaProgramOptions): ProgramCommand {
  const properties = [`-Duser.home=${home}`, `-Drocketmq.serialize.type=${serializeType ?? 'JSON'}`]
  const words = Object.entries(options).map(([name, value]) => `${name}=${value}`)
  const path = classPathOf(jars ?? 'client-5.3.3')
  return {
    command: 'java',
    args: [...VIRTUAL_MACHINE, ...JDK_RIGHTS, ...properties, '-cp', path, program, ...words],
    folder: home,
  }
}

function classPathOf(jars: JarSet): string {
  const java = inject('java')
  if (java === null) throw new Error('no java here')
  return java[jars]
}
