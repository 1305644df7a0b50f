import { tracingChannel } from 'node:diagnostics_channel'
import { type CallOptions, type DomainRef, throwIfAborted } from '@covirt/core'
import type { ActiveGuest, DomainEntry } from './domain-entry.js'
import type { DomainTable } from './domain-table.js'
import type { GuestAccess } from './hypervisor.js'
import { requireActive, requireReachable } from './refusals.js'

const trace = tracingChannel('covirt:job')

/** Runs what is done to the domains of a driver as jobs of theirs: one at a time each. */
export class DomainJobs {
  readonly #driver: string
  readonly #table: DomainTable

  /** @param driver its type: what traces name it by */
  constructor(driver: string, table: DomainTable) {
    this.#driver = driver
    this.#table = table
  }

  /** Runs `work` as a job of an existing domain. */
  async change<T>(
    domain: DomainRef,
    name: string,
    options: CallOptions,
    work: (entry: DomainEntry, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(options.signal)
    const entry = this.#table.get(domain)
    return this.run(entry, name, options, (running) => work(this.#table.get(domain), running))
  }

  /** Runs `work` as a job of an active domain. */
  changeGuest<T>(
    domain: DomainRef,
    name: string,
    options: CallOptions,
    work: (entry: DomainEntry, active: ActiveGuest, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    return this.change(domain, name, options, (entry, running) => work(entry, requireActive(entry), running))
  }

  /** Runs `work` as a job of a domain that need not exist yet. */
  run<T>(
    entry: DomainEntry,
    name: string,
    options: CallOptions,
    work: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const context = { driver: this.#driver, domain: entry.name, job: name }
    return entry.jobs.run(name, options, (running) => trace.tracePromise(() => work(running), context))
  }

  /** How role objects reach guests. */
  access(): GuestAccess {
    return {
      query: async (domain, options = {}, query) => {
        throwIfAborted(options.signal)
        return query(requireActive(this.#table.get(domain)).guest, options)
      },
      look: async (domain, options = {}, query) => {
        throwIfAborted(options.signal)
        const entry = this.#table.get(domain)
        requireReachable(entry)
        const { ref, active, inactiveDocument } = entry
        const document = active?.document ?? inactiveDocument
        return query({ domain: ref, document, guest: active?.guest }, options)
      },
      job: async (domain, name, options = {}, job) => {
        const { jobs } = this.#table.get(domain)
        const result = await this.changeGuest(domain, name, options, (_entry, { guest }, running) =>
          job(guest, running),
        )
        // What the guest has told meanwhile is to be known before the call resolves.
        await jobs.runNext('settle', async () => {})
        return result
      },
    }
  }
}
