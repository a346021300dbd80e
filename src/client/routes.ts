import type { Clock } from '../base/clock.ts'
import { TopicRouteData } from '../protocol/bodies/topic-route.ts'
import { GetRouteInfoByTopic } from '../protocol/requests/route.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { ClientError } from './client-error.ts'
import type { NameServers } from './name-servers.ts'
import { routeFromTemplate, topicRoute, type TopicRoute } from './topic-route.ts'

/**
 * Brokers that create topics on the first message register this one, to say so and with how many
 * queues.
 */
export const TEMPLATE_TOPIC = 'TBW102'

const RECHECK_MS = 3000

/** What the name servers said about the topics this client has to do with. */
export class Routes {
  readonly #nameServers: NameServers
  readonly #queueCountMax: number
  readonly #clock: Clock
  readonly #known = new Map<string, TopicRoute>()
  /** One question per topic at a time: a thousand first sends ask once. */
  readonly #askedAt = new Map<string, number>()
  readonly #asking = new Map<string, Promise<TopicRoute | null>>()

  /**
   * `queueCountMax`: how many queues per broker a topic gets that this client's first message
   * creates.
   */
  constructor(nameServers: NameServers, queueCountMax: number, clock: Clock) {
    this.#clock = clock
    this.#nameServers = nameServers
    this.#queueCountMax = queueCountMax
  }

  known(): TopicRoute[] {
    return [...this.#known.values()]
  }

  /** Null when no broker serves the topic (yet). */
  async find(topic: string): Promise<TopicRoute | null> {
    return this.#known.get(topic) ?? this.#ask(topic)
  }

  /**
   * For a topic that need not exist: the template's route when brokers create topics, else throws
   * ClientError.
   */
  async findToSend(topic: string): Promise<TopicRoute> {
    const route = (await this.find(topic)) ?? (await this.#askTemplate(topic))
    if (route.writeQueues.length > 0) return route
    throw new ClientError(
      `topic ${topic} has no queue that takes messages: no permission, or no master`,
    )
  }

  /**
   * Asks again for every known topic. One that is gone keeps its route: a name server that just
   * started knows nothing.
   */
  async refresh(): Promise<void> {
    for (const topic of this.#known.keys()) await this.#ask(topic)
  }

  /** A broker of the topic does not answer: asks again, but not with every failure. */
  async recheck(topic: string): Promise<void> {
    const age = this.#clock.now() - (this.#askedAt.get(topic) ?? 0)
    if (age >= RECHECK_MS) await this.#ask(topic)
  }

  #ask(topic: string): Promise<TopicRoute | null> {
    const asking = this.#asking.get(topic)
    if (asking !== undefined) return asking
    const asked = this.#fetch(topic)
      .then((data) => data && this.#keep(topicRoute(topic, data)))
      .finally(() => this.#asking.delete(topic))
    this.#asking.set(topic, asked)
    this.#askedAt.set(topic, this.#clock.now())
    return asked
  }

  async #askTemplate(topic: string): Promise<TopicRoute> {
    const template = await this.#fetch(TEMPLATE_TOPIC)
    if (template === null) {
      const reason = 'and no broker creates topics by itself (autoCreateTopicEnable)'
      throw new ClientError(
        `topic ${topic} does not exist ${reason}: create it with mqadmin updateTopic`,
      )
    }
    return this.#keep(routeFromTemplate(topic, template, this.#queueCountMax))
  }

  async #fetch(topic: string): Promise<TopicRouteData | null> {
    try {
      const header = { topic, acceptStandardJsonOnly: true }
      const { body } = await this.#nameServers.call(GetRouteInfoByTopic, header)
      return TopicRouteData.decode(body)
    } catch (error) {
      if (error instanceof ResponseError && error.codeName === 'TOPIC_NOT_EXIST') return null
      throw error
    }
  }

  #keep(route: TopicRoute): TopicRoute {
    this.#known.set(route.topic, route)
    return route
  }
}
