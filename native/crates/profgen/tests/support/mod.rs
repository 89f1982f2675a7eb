//! Support that several tests use to change a fixture.

use perfdata::{Change, ChunkBuffer, PerfData, Sample};
use testkit::Fixture;

/// The recording of a fixture taken apart, so that tests can put it together in other ways.
pub struct Recorded {
    /// The fixture, which knows the paths of the recording and of its program.
    pub fixture: Fixture,
    /// Start, length and file offset of the program's code.
    pub code: (u64, u64, u64),
    /// Source and target of the entries of each sample.
    pub stacks: Vec<Vec<(u64, u64)>>,
}

impl Recorded {
    /// Reads the recording of `calc`.
    pub fn read() -> Self {
        Self::of(Fixture::named("calc-x86_64"))
    }

    pub fn of(fixture: Fixture) -> Self {
        let program = fixture.program();
        let mut recording = PerfData::open(&fixture.perf_data()).expect("a recording");
        let (mut code, mut stacks) = (None, Vec::new());
        while let Some(segment) = recording.next_segment().expect("readable") {
            code = code.or(segment.side_records().iter().find_map(|record| match &record.change {
                Change::Map(map) if map.executable && program.ends_with(file_name(&map.file.name)) => {
                    Some((map.start.0, map.len, map.pgoff))
                }
                _ => None,
            }));
            for chunk in 0..segment.chunk_count() {
                let keep = |sample: &Sample<'_>| {
                    let branches = sample.branches.iter();
                    stacks.push(branches.map(|branch| (branch.from.0, branch.to.0)).collect());
                };
                segment
                    .decode_chunk(chunk, &mut ChunkBuffer::default(), keep)
                    .expect("readable");
            }
        }
        Self {
            fixture,
            code: code.expect("the program is mapped"),
            stacks,
        }
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
