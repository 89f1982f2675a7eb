//! Reads a text of `perf script` into a list of its items.

use perfscript::{BranchEntry, BranchLine, CallStack, Dialect, Item, Line, Parser, SampleKind};

/// An item of the text.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A line about a mapping.
    Mapping(Vec<u8>),
    /// A sample.
    Sample {
        /// Number of times that the sample was taken.
        times: u64,
        /// Addresses of the call stack, the innermost first.
        frames: Vec<u64>,
        /// The branch entries, and whether the line ends with something else. `None` if the sample has no line of
        /// branch entries.
        branches: Option<(Vec<BranchEntry>, bool)>,
    },
}

/// Reads `text` to its end.
pub fn events(text: &[u8], kind: SampleKind, dialect: Dialect) -> Vec<Event> {
    let mut parser = Parser::new(text, dialect);
    let mut events = Vec::new();
    while let Some(item) = parser.next_item() {
        let times = match item {
            Item::Mapping(line) => {
                events.push(Event::Mapping(line.text.to_vec()));
                continue;
            }
            Item::Sample { times } => times,
        };
        let mut frames = Vec::new();
        let line = match kind {
            SampleKind::Branches => parser.branches(),
            SampleKind::CallStacks => match parser.call_stack(|frame| {
                frames.push(frame);
                true
            }) {
                CallStack::Branches(line) => Some(line),
                CallStack::Rejected(_) | CallStack::Cut => None,
            },
        };
        let branches = line.and_then(|line| read(line, dialect));
        events.push(Event::Sample {
            times,
            frames,
            branches,
        });
    }
    assert!(parser.lines() >= events.len() as u64, "every item has a line");
    events
}

fn read(line: Line<'_>, dialect: Dialect) -> Option<(Vec<BranchEntry>, bool)> {
    let mut branches = BranchLine::read(line.text, dialect).ok()?.branches;
    let entries = branches.by_ref().collect();
    Some((entries, branches.has_invalid_end()))
}

/// Returns `text` with line ends as perf writes them. In [`Dialect::Anything`], CR LF also ends a line.
pub fn with_line_ends_of_perf(text: &[u8], dialect: Dialect) -> Vec<u8> {
    let is_dropped = |at: usize| dialect == Dialect::Anything && text[at..].starts_with(b"\r\n");
    (0..text.len())
        .filter(|&at| !is_dropped(at))
        .map(|at| text[at])
        .collect()
}
