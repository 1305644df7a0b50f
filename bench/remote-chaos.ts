// `node --import ./scripts/typescript.mjs bench/remote-chaos.ts [CYCLES] [SEED]`: connections that fail in every way,
// with 50 guests that come and go, and a client whose view must be the truth after each.
import { chaos } from '../packages/driver-remote/test/chaos.js'

const cycles = Number(process.argv[2] ?? 1000)
const seed = Number(process.argv[3] ?? Date.now() % 0x1_0000_0000)
const start = performance.now()
console.log(`${cycles} cycles, seed ${seed}`)
const report = await chaos({
  cycles,
  guests: 50,
  seed,
  onCycle: (cycle) => {
    if (cycle % 100 === 99)
      console.log(`${cycle + 1} cycles, ${Math.round((performance.now() - start) / 1000)} s`)
  },
})
console.log(JSON.stringify(report))
