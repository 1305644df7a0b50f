/** Which of a domain's two documents is meant (virDomainModificationImpact). */
export const impact = { current: 0, live: 1, config: 2 } as const
