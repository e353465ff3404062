// Processor time, read from /proc: ours, and the whole machine's, to tell when somebody else disturbed a run.

import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** Seconds of processor time used so far by a process and all its descendants, ended ones included. */
export function cpuSeconds(rootPid) {
  const processes = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = statFields(`/proc/${pid}/stat`);
    if (fields) processes.set(pid, { parent: fields[1], ticks: [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) });
  }
  const isOurs = (pid) => pid === String(rootPid) || (processes.has(pid) && isOurs(processes.get(pid).parent));
  let ticks = 0;
  for (const [pid, each] of processes) if (isOurs(pid)) ticks += each.ticks;
  return ticks / TICKS_PER_SECOND;
}

/** Seconds all processors were busy, and seconds there were. */
export function machineCpuSeconds() {
  const [user, nice, system, idle, wait, irq, softirq, steal] = readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { busy: busy / TICKS_PER_SECOND, all: (busy + idle + wait) / TICKS_PER_SECOND };
}

/** Fields after the command name, which may hold spaces. */
function statFields(file) {
  try {
    const text = readFileSync(file, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null; // it ended meanwhile
  }
}
