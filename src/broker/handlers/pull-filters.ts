import { SqlError } from '../../filter/sql-error.ts'
import { PullFlag } from '../../protocol/requests/pull.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { TopicChange } from '../metadata-change.ts'
import type { GroupView } from '../metadata-view.ts'
import type { RequestFrame } from '../request-frame.ts'
import { filterOf, type MessageFilter } from '../tag-filter.ts'
import { shown } from '../topic-names.ts'
import { KEY } from './pull-keys.ts'

/** What a pull wants: by what it says itself, or by the subscription of its group. */
export class PullFilters {
  readonly #options: { enablePropertyFilter: boolean }

  constructor(options: { enablePropertyFilter: boolean }) {
    this.#options = options
  }

  /** Throws ResponseError: there is no subscription, or it is no good. */
  of(
    { fields }: RequestFrame,
    { group, topic, sysFlag }: { group: GroupView; topic: TopicChange; sysFlag: number },
  ): MessageFilter {
    if ((sysFlag & PullFlag.SUBSCRIPTION) !== 0) {
      const type = fields.text(KEY.expressionType) ?? 'TAG'
      this.#checkExpressionType(type)
      return parsedFilter(type, fields.text(KEY.subscription))
    }
    const subscription = group.subscriptions?.get(topic.topic)
    if (subscription === undefined) {
      const why = `the consumer's subscription not exist: group ${group.group}, topic ${topic.topic}`
      throw new ResponseError('SUBSCRIPTION_NOT_EXIST', why)
    }
    const subVersion = fields.integer(KEY.subVersion) || 0
    if (subscription.subVersion < subVersion) {
      throw new ResponseError('SUBSCRIPTION_NOT_LATEST', "the consumer's subscription not latest")
    }
    this.#checkExpressionType(subscription.expressionType)
    const { expressionType, expression, tags } = subscription
    return expressionType === 'SQL92' ? parsedFilter('SQL92', expression) : { tags, sql: null }
  }

  #checkExpressionType(type: string): void {
    if (type === 'TAG' || type === '') return
    if (type === 'SQL92' && this.#options.enablePropertyFilter) return
    const why = `The broker does not support consumer to filter message by ${shown(type)}`
    throw new ResponseError('SYSTEM_ERROR', why)
  }
}

function parsedFilter(type: string, expression: string | undefined): MessageFilter {
  try {
    return filterOf(type, expression)
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    const why = `parse the consumer's subscription failed: ${error.message}`
    throw new ResponseError('SUBSCRIPTION_PARSE_FAILED', why)
  }
}
