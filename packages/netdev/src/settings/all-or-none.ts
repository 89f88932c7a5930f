/** One of several things that a driver is asked for. */
export interface Step {
  act(): void;
  /** As it was before. */
  undo(): void;
}

/**
 * Takes the steps in order. Where one throws, those before it are undone, the last first, and its error goes on, whatever a driver says
 * when it is asked to go back: where it refuses that too, it stays as it is.
 */
export function allOrNone(steps: readonly Step[]): void {
  let done = 0;
  try {
    for (; done < steps.length; done++) steps[done]!.act();
  } catch (error) {
    while (done-- > 0) tryUndo(steps[done]!);
    throw error;
  }
}

function tryUndo(step: Step): void {
  try {
    step.undo();
  } catch {
    // What is heard is why it had to be undone.
  }
}
