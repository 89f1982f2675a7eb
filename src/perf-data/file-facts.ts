import { EventTable } from './event-table.js';
import { type Features, noFeatures } from './features.js';

const MAX_PROBLEMS = 20;

/** What stands in a recording outside of its records, as it is read. */
export class FileFacts {
  readonly littleEndian: boolean;
  readonly events: EventTable = new EventTable();
  readonly features: Features = noFeatures();
  readonly problems: string[] = [];
  complete = true;

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian;
  }

  /** Notes that records or facts are missing at the end; the recording counts as incomplete. */
  endsEarly(text: string): void {
    this.complete = false;
    this.problem(text);
  }

  /** Notes something that cannot be read while what follows it can. */
  problem(text: string): void {
    if (this.problems.length < MAX_PROBLEMS && !this.problems.includes(text)) this.problems.push(text);
  }
}
