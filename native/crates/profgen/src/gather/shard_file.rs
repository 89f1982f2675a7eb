//! The file that rows are written to, until it is finished.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use job::{Error, GrowingFile, InputFiles};
use perfdata::TextPoke;
use rustc_hash::FxHashSet;
use traceshard::{Binary, Metadata, Record, Row, RowGroup, ShardWriter, group_len, write_patch};

use crate::gather::order::{ranks, sort};
use crate::gather::outcome::WrittenShard;
use crate::gather::row_groups::{BranchGroup, MAX_PACKED, Names, SampledGroup, StackGroup, of_file};
use crate::gather::rows::{Rows, Tally};
use crate::gather::sampled::SampledRows;
use crate::gather::stacks::{StackRow, StackRows};

/// Code that was rewritten: the file, the address, and the change.
pub(crate) type Patch = (Binary, u64, TextPoke);

/// A file that is being written.
pub(crate) struct ShardFile {
    path: PathBuf,
    file: GrowingFile,
    writer: ShardWriter<File>,
    begun: Instant,
    rows: u64,
    /// Times of the first and the last sample in the file.
    times: Option<(u64, u64)>,
}

impl ShardFile {
    pub(crate) fn begin(path: PathBuf, inputs: &InputFiles) -> Result<Self, Error> {
        let file = GrowingFile::new(&path, inputs)?;
        let writer = ShardWriter::new(file.writer()?).map_err(|error| failure(&file, error))?;
        Ok(Self {
            path,
            file,
            writer,
            begun: Instant::now(),
            rows: 0,
            times: None,
        })
    }

    pub(crate) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Returns true if no row has been written yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Returns the number of row groups that were written.
    pub(crate) fn groups(&self) -> usize {
        self.writer.groups()
    }

    /// Returns the number of bytes that were written.
    pub(crate) fn bytes(&self) -> u64 {
        self.writer.written()
    }

    /// Writes rows of branch stacks, sorted by their keys.
    pub(crate) fn write(&mut self, rows: Rows, names: &Names<'_>, times: Option<(u64, u64)>) -> Result<(), Error> {
        if let Some((first, last)) = times {
            let (earliest, latest) = self.times.unwrap_or((first, last));
            self.times = Some((earliest.min(first), latest.max(last)));
        }
        let Rows { mut rows, tails } = rows;
        sort(&mut rows, &tails, names);
        self.rows += rows.len() as u64;
        let mut rest = &rows[..];
        self.write_groups(|| {
            let (group, behind) = rest.split_at(group_len(rest, |a, b| a.key.file == b.key.file));
            rest = behind;
            (!group.is_empty()).then(|| BranchGroup::new(group, &tails, names))
        })
    }

    /// Writes rows without branch stacks, sorted by their keys.
    pub(crate) fn write_sampled(&mut self, rows: SampledRows, names: &Names<'_>) -> Result<(), Error> {
        let mut rows = rows.into_rows();
        let files = ranks(names.files.all());
        let events = ranks(names.events);
        rows.sort_unstable_by_key(|(key, _)| {
            let whose = (files[key.file as usize], events[usize::from(key.event)]);
            (whose, *key)
        });
        self.rows += rows.len() as u64;
        let mut rest = &rows[..];
        while !rest.is_empty() {
            let (group, behind) = rest.split_at(group_len(rest, |(a, _), (b, _)| a.file == b.file));
            self.write_group(&SampledGroup { rows: group, names })?;
            rest = behind;
        }
        Ok(())
    }

    /// Writes rows of whole samples, sorted by their keys.
    pub(crate) fn write_stacks(&mut self, mut stacks: StackRows, names: &Names<'_>) -> Result<(), Error> {
        let files = ranks(names.files.all());
        let events = ranks(names.events);
        let rows = stacks.sort_by_key(|row| (files[row.file as usize], events[usize::from(row.event)]));
        self.rows += rows.len() as u64;
        let mut rest = &rows[..];
        self.write_groups(|| {
            let most = group_len(rest, |a, b| a.file == b.file);
            let mut bytes = 0;
            let fits = |row: &&StackRow| {
                bytes += row.bytes();
                bytes <= MAX_PACKED
            };
            let len = rest[..most].iter().take_while(fits).count().max(1);
            let (group, behind) = rest.split_at_checked(len)?;
            rest = behind;
            Some(StackGroup::new(group, &stacks, names))
        })
    }

    /// Writes the groups that `next` returns. While a group is encoded, the next group is made.
    fn write_groups<G: RowGroup + Send>(&mut self, mut next: impl FnMut() -> Option<G> + Send) -> Result<(), Error> {
        let mut group = next();
        while let Some(current) = group {
            let (written, made) = rayon::join(|| self.write_group(&current), &mut next);
            written?;
            group = made;
        }
        Ok(())
    }

    fn write_group(&mut self, group: &impl RowGroup) -> Result<(), Error> {
        let written = self.writer.write_group(group);
        written.map_err(|error| failure(&self.file, error))
    }

    /// Writes the remaining rows, and moves the file to its final path.
    pub(crate) fn finish(
        mut self,
        patches: &FxHashSet<Patch>,
        tally: &Tally,
        host: Option<String>,
        inputs: &InputFiles,
    ) -> Result<WrittenShard, Error> {
        let mut patches: Vec<_> = patches
            .iter()
            .map(|(file, address, poke)| (file, *address, write_patch(&poke.old, &poke.new)))
            .collect();
        patches.sort_unstable();
        let mut rows: Vec<Row<'_>> = patches
            .iter()
            .map(|(file, address, patch)| Row {
                record: Record::Patch,
                from: Some(*address),
                patch: Some(patch),
                count: 1,
                ..of_file(file)
            })
            .collect();
        rows.extend(tally.counts().map(|(what, count)| Row::ledger(what, count)));
        self.rows += rows.len() as u64;
        let written = self.writer.write(&rows);
        written.map_err(|error| failure(&self.file, error))?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let metadata = Metadata {
            schema_version: None,
            tool: Some(concat!("autofdo-gen ", env!("CARGO_PKG_VERSION")).to_owned()),
            sample_times: self.times,
            written: now.ok().map(|now| now.as_secs()),
            host,
        };
        let Self {
            path,
            file,
            writer,
            rows,
            ..
        } = self;
        let handle = writer.finish(&metadata).map_err(|error| failure(&file, error))?;
        let bytes = handle.metadata().map_err(|error| file.failure(error))?.len();
        file.commit(inputs)?;
        Ok(WrittenShard { path, rows, bytes })
    }
}

fn failure(file: &GrowingFile, error: traceshard::Error) -> Error {
    match error {
        traceshard::Error::Io(error) => file.failure(error),
        other => file.failure(std::io::Error::other(other)),
    }
}

/// Returns a name that no other file has, in this folder or in any other: the time at which the file was
/// begun, and a random number.
pub(crate) fn new_name(folder: &Path) -> PathBuf {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = now.map_or(0, |now| now.as_secs());
    let random = RandomState::new().hash_one(seconds);
    folder.join(format!("traces-{seconds}-{random:016x}.parquet"))
}
