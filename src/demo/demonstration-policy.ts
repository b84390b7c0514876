/**
 * The policy of `npm start`: segments are small and leave at once, so that one can watch them go, and go only to the
 * collector on this machine. `focus_unknown = "record"` so that keys show on a display without a window manager, too;
 * text keys are still masked to their class.
 */
export function demonstrationPolicy(collectorUrl: string): string {
  return `# Written by npm start at each start; changes here are lost.
[capture]
focus_unknown = "record"
[notice]
controller = "you, on this machine"
contact = "nobody else: nothing leaves this machine"
purpose = "trying telemetryd"
basis = "consent"
readers = "you"
[segment]
roll = "20s"
[upload]
url = ${JSON.stringify(collectorUrl)}
hold_back = "0s"
schedule = "*/10 * * * * *"
`;
}
