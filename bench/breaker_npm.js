// Run by breaker_npm.sh.
const Opossum = require('opossum');
const { circuitBreaker, ConsecutiveBreaker, SamplingBreaker, handleAll } = require('cockatiel');

const version = (name) => require(`${name}/package.json`).version;

// The median of rounds, in nanoseconds of CPU a call.
async function measure(name, call, calls) {
  const rounds = [];
  for (let round = 0; round < 9; ++round) {
    const begun = process.cpuUsage();
    for (let i = 0; i < calls; ++i) await call();
    const used = process.cpuUsage(begun);
    rounds.push(((used.user + used.system) * 1000) / calls);
  }
  rounds.sort((a, b) => a - b);
  console.log(`${name.padEnd(40)} ${rounds[4].toFixed(0)} ns`);
}

async function main() {
  const work = async () => 1;
  const rejected = (call) => () => call().catch(() => {});
  await measure('bare await', work, 300000);

  const opossum = new Opossum(work, { timeout: false });
  await measure(`opossum ${version('opossum')}, closed`, () => opossum.fire(), 100000);
  opossum.open();
  await measure(`opossum ${version('opossum')}, open`, rejected(() => opossum.fire()), 30000);
  opossum.shutdown();

  const cockatiel = (breaker) => circuitBreaker(handleAll, { halfOpenAfter: 1e9, breaker });
  const consecutive = cockatiel(new ConsecutiveBreaker(5));
  await measure(`cockatiel ${version('cockatiel')}, closed, consecutive`, () => consecutive.execute(work), 100000);
  const sampling = cockatiel(new SamplingBreaker({ threshold: 0.5, duration: 10000 }));
  await measure(`cockatiel ${version('cockatiel')}, closed, sampling`, () => sampling.execute(work), 100000);
  consecutive.isolate();
  await measure(`cockatiel ${version('cockatiel')}, open`, rejected(() => consecutive.execute(work)), 30000);
}

main();
