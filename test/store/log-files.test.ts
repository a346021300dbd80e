import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { listLogFiles, LogFiles, StoreError } from '../../src/store/log-files.ts'
import { tempFolder } from '../support/temp-folder.ts'

const FILE_SIZE = 1000

function newFiles(): LogFiles {
  return newFilesIn(tempFolder())
}

function newFilesIn(directory: string): LogFiles {
  const files = new LogFiles(systemDisk, { directory, fileSize: FILE_SIZE })
  onTestFinished(() => files.closeAll())
  return files
}

describe('log files', () => {
  test('are named by their first position in 20 digits, and sparse at full length', () => {
    const files = newFiles()
    files.create(0)
    files.create(3000)
    expect(readdirSync(files.directory)).toEqual(['00000000000000000000', '00000000000000003000'])
    expect(statSync(files.path(3000)).size).toBe(FILE_SIZE)
  })

  test('are found by any position in them', () => {
    const files = newFiles()
    files.create(0)
    files.create(1000)
    expect(files.at(999).start).toBe(0)
    expect(files.at(1000).start).toBe(1000)
    expect(files.at(1999)).toBe(files.at(1000))
    expect([files.startOfFile(1999), files.endOfFile(1999)]).toEqual([1000, 2000])
    expect(() => files.at(2000)).toThrow('ENOENT')
  })

  test('are read no further than their end', () => {
    const files = newFiles()
    files.create(1000)
    const { descriptor } = files.at(1000)
    const buffer = Buffer.from('end')
    systemDisk.pwrite(descriptor, { buffer, offset: 0, length: 3, position: 997 })
    const target = Buffer.alloc(20, 1)
    expect(files.read(1995, 10, target, 2)).toBe(5)
    expect(target.subarray(0, 8)).toEqual(Buffer.from('\x01\x01\0\0end\x01'))
  })

  test('are named by the error of a read, which Node does not do', () => {
    const refusal = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', errno: -5 })
    const pread = () => {
      throw refusal
    }
    const directory = tempFolder()
    newFilesIn(directory).create(1000)
    const files = new LogFiles({ ...systemDisk, pread }, { directory, fileSize: FILE_SIZE })
    onTestFinished(() => files.closeAll())
    const path = files.path(1000)
    const told = { code: 'EIO', errno: -5, path, message: `EIO: i/o error, read '${path}'` }
    for (const _ of [1, 2]) {
      expect(() => files.read(1500, 10, Buffer.alloc(10), 0)).toThrow(expect.objectContaining(told))
    }
  })

  test('are closed once they lie below a position, and opened again when asked for', () => {
    const files = newFiles()
    files.create(0)
    files.create(1000)
    const closed: number[] = []
    const disk = { ...systemDisk, close: (descriptor: number) => void closed.push(descriptor) }
    const watched = new LogFiles(disk, files)
    const first = watched.at(0).descriptor
    watched.at(1000)
    watched.closeBelow(999)
    expect(closed).toEqual([])
    watched.closeBelow(1000)
    expect(closed).toEqual([first])
    expect(watched.at(0).descriptor).not.toBe(first)
    watched.closeAll()
    expect(closed).toHaveLength(3)
    for (const descriptor of closed) systemDisk.close(descriptor)
  })
})

describe('a folder of log files', () => {
  test('lists their starts in order and passes over folders', () => {
    const files = newFiles()
    for (const start of [2000, 0, 1000]) files.create(start)
    mkdirSync(join(files.directory, 'lost+found'))
    expect(listLogFiles(systemDisk, files.directory, FILE_SIZE)).toEqual([0, 1000, 2000])
  })

  test('need not be there', () => {
    expect(listLogFiles(systemDisk, join(tempFolder(), 'none'), FILE_SIZE)).toEqual([])
  })

  test.each(['notes.txt', '00000000000000000500', '1000'])('holds nothing like %s', (name) => {
    const directory = tempFolder()
    writeFileSync(join(directory, name), '')
    expect(() => listLogFiles(systemDisk, directory, FILE_SIZE)).toThrow(StoreError)
    expect(() => listLogFiles(systemDisk, directory, FILE_SIZE)).toThrow(name)
  })
})
