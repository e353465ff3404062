// Programs that run beside a test or a bench.

/** Sees to it that a program does not outlive this one, however this one ends. */
export function endsWithUs(child) {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}
