//! What was collected, and the files that it is written to.

use job::{Error, ErrorCode, InputFiles, make_output_folder};
use rustc_hash::FxHashSet;
use traceshard::{Binary, BinaryKind, MAX_GROUPS};

use crate::gather::files::Files;
use crate::gather::options::{CollectOptions, Rotation};
use crate::gather::outcome::WrittenShard;
use crate::gather::row_groups::{Event, Names};
use crate::gather::rows::Tally;
use crate::gather::shard_file::{Patch, ShardFile, new_name};
use crate::gather::worker::{Counted, Workers};

/// Approximate size of a row in a file, in bytes. It tells when a file that is rotated by size has enough
/// rows.
const BYTES_OF_A_ROW: u64 = 8;

/// Counts that are in no file yet, the open file, and the files that were finished.
pub(crate) struct Output<'a> {
    options: &'a CollectOptions,
    inputs: InputFiles,
    /// Files and events that the counts name by number.
    pub files: Files,
    pub events: Vec<Event>,
    pub counted: Counted,
    pub patches: FxHashSet<Patch>,
    /// Name of the host, if it is written.
    pub host: Option<String>,
    shard: Option<ShardFile>,
    /// The files that were finished, in this order.
    pub finished: Vec<WrittenShard>,
    /// Numbers of the ledger, of all finished files.
    pub total: Tally,
    pub in_files: InFiles,
    pub guest_samples: u64,
    /// Number of samples of a time whose address spaces were forgotten.
    pub late_samples: u64,
}

/// What Linux writes after the name of a file that is in no folder any more.
const DELETED: &str = " (deleted)";

/// Numbers of branches and sampled addresses that rows count.
#[derive(Default)]
pub(crate) struct InFiles {
    /// In files of any kind.
    pub all: u64,
    /// In programs and libraries that are on the disk.
    pub programs: u64,
    /// In programs and libraries whose build id is not known.
    pub unidentified: u64,
}

impl InFiles {
    fn add(&mut self, file: &Binary, count: u64) {
        // Nobody makes a profile of code that is in no file any more, or never was.
        let is_program = file.kind == BinaryKind::User && file.path.starts_with('/') && !file.path.ends_with(DELETED);
        self.all = self.all.saturating_add(count);
        for (sum, counts) in [
            (&mut self.programs, is_program),
            (&mut self.unidentified, is_program && file.build_id.is_none()),
        ] {
            *sum = sum.saturating_add(if counts { count } else { 0 });
        }
    }
}

impl<'a> Output<'a> {
    /// Begins the first file. So the job finds out that a folder cannot be written before it collects for hours.
    ///
    /// # Errors
    /// If the output is one of the inputs, is no place for the files, or cannot be written.
    pub(crate) fn begin(options: &'a CollectOptions) -> Result<Self, Error> {
        let mut inputs = InputFiles::default();
        options.perf_data.iter().for_each(|path| inputs.add_stream(path));
        prepare(options, &inputs)?;
        let mut output = Self {
            options,
            inputs,
            files: Files::default(),
            events: Vec::new(),
            counted: Counted::default(),
            patches: FxHashSet::default(),
            host: None,
            shard: None,
            finished: Vec::new(),
            total: Tally::default(),
            in_files: InFiles::default(),
            guest_samples: 0,
            late_samples: 0,
        };
        output.begin_file()?;
        Ok(output)
    }

    /// Returns true if nothing has been collected for the open file.
    pub(crate) fn is_empty(&self) -> bool {
        self.counted.is_empty() && self.patches.is_empty() && self.shard.as_ref().is_none_or(ShardFile::is_empty)
    }

    /// Forgets what was collected for the open file, and begins the file anew.
    pub(crate) fn begin_anew(&mut self) -> Result<(), Error> {
        self.counted = Counted::default();
        self.begin_file()
    }

    /// Returns true if the open file must be finished: it has as many row groups as a reader takes, or, with the rows
    /// of `workers`, the age or size at which another file is begun.
    pub(crate) fn is_due(&self, workers: &mut Workers<'_>) -> bool {
        let Some(shard) = &self.shard else {
            return false;
        };
        match self.options.rotate {
            _ if self.is_full() => true,
            None => false,
            Some(Rotation::Every(time)) => shard.age() >= time,
            Some(Rotation::Bytes(bytes)) => {
                let room = bytes.saturating_sub(shard.bytes()) / BYTES_OF_A_ROW;
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                workers.exceed(room.saturating_sub(self.counted.len()))
            }
        }
    }

    /// Returns true if the open file has as many row groups as a reader takes, and another file may follow it.
    pub(crate) fn is_full(&self) -> bool {
        let groups = self.shard.as_ref().map_or(0, ShardFile::groups);
        !self.options.is_one_file() && groups >= self.most_groups()
    }

    /// Writes the rows to the open file.
    ///
    /// # Errors
    /// If they cannot be written, or if a single file has more row groups than a reader takes.
    pub(crate) fn write_rows(&mut self) -> Result<(), Error> {
        let Some(shard) = &mut self.shard else {
            return Err(Error::new(ErrorCode::Internal, "there is no file for the rows"));
        };
        let names = Names {
            files: &self.files,
            events: &self.events,
        };
        let counted = &mut self.counted;
        let of_branches = counted.rows.rows.iter().map(|row| (row.key.file, row.count.into()));
        let mut counts = vec![0u64; self.files.all().len()];
        for (file, count) in of_branches.chain(counted.sampled.counts()) {
            counts[file as usize] += count;
        }
        for (file, count) in self.files.all().iter().zip(counts) {
            self.in_files.add(file, count);
        }
        shard.write(std::mem::take(&mut counted.rows), &names, counted.times.take())?;
        shard.write_sampled(std::mem::take(&mut counted.sampled), &names)?;
        shard.write_stacks(std::mem::take(&mut counted.stacks), &names)?;
        let groups = shard.groups();
        if self.options.is_one_file() && groups > self.most_groups() {
            let message = format!(
                "the traces have {groups} row groups, and a file has at most {}",
                self.most_groups()
            );
            return Err(Error::new(ErrorCode::Unsupported, message)
                .path(&self.options.output)
                .hint("Name a folder with {--output}, so that several files are written."));
        }
        Ok(())
    }

    /// Finishes the open file, and begins another.
    pub(crate) fn next_file(&mut self) -> Result<(), Error> {
        self.finish()?;
        self.begin_file()
    }

    /// Writes the rows and the ledger to the open file, and finishes it.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.write_rows()?;
        let tally = std::mem::take(&mut self.counted.tally);
        self.total.merge(&tally);
        self.guest_samples += std::mem::take(&mut self.counted.guest_samples);
        self.late_samples += std::mem::take(&mut self.counted.late_samples);
        let Some(shard) = self.shard.take() else {
            return Ok(());
        };
        let written = shard.finish(&self.patches, &tally, self.host.clone(), &self.inputs)?;
        self.patches.clear();
        self.finished.push(written);
        Ok(())
    }

    fn begin_file(&mut self) -> Result<(), Error> {
        let path = if self.options.is_one_file() {
            self.options.output.clone()
        } else {
            new_name(&self.options.output)
        };
        self.shard = Some(ShardFile::begin(path, &self.inputs)?);
        Ok(())
    }

    fn most_groups(&self) -> usize {
        self.options.most_groups.unwrap_or(MAX_GROUPS)
    }
}

/// Makes the folder, and checks that the output is a file or a folder as its name says.
fn prepare(options: &CollectOptions, inputs: &InputFiles) -> Result<(), Error> {
    let refuse = |message, hint: &str| Err(Error::new(ErrorCode::InvalidOptions, message).hint(hint));
    let output = &options.output;
    if options.is_one_file() {
        inputs.check(output)?;
        if options.rotate.is_some() {
            let found = output.display();
            let message = format!("{{--rotate}} writes several files into a folder, and {found} is a file");
            return refuse(message, "Name a folder with {--output}.");
        }
        return Ok(());
    }
    if output.is_file() {
        let message = format!("{} is a file, and its name does not end in .parquet", output.display());
        return refuse(
            message,
            "Name a folder with {--output}, or a file whose name ends in .parquet.",
        );
    }
    make_output_folder(output)
}
