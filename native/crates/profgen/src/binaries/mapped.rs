//! What recordings have mapped, before anything of them is counted: the names to look for binaries by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use job::failure::recording_error;
use job::{Error, ErrorCode, Observer};
use perfdata::{BuildId, Change, CpuMode, Mapping, Metadata};
use rustc_hash::FxHashMap;

use crate::addresses::binding::KERNEL_MAP;
use crate::binaries::kernel_module;
use crate::binaries::target::undeleted;
use crate::input::perf_data::{STANDARD_INPUT, listed_name, open};

/// How much of recordings is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Beginning,
    All,
}

/// Executable mappings of recordings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// Paths of files, with the build ids they had; `None` where the recording has none.
    pub files: BTreeMap<String, BTreeSet<Option<BuildId>>>,
    /// The same of the kernel itself; empty if it is not mapped.
    pub kernel: BTreeSet<Option<BuildId>>,
    /// The same of kernel modules, by name, with `_` for `-`.
    pub modules: BTreeMap<String, BTreeSet<Option<BuildId>>>,
    /// Releases of the kernels that recorded.
    pub releases: BTreeSet<String>,
}

impl Mapped {
    /// Reads mappings of all recordings, and nothing else of them: those at the beginning of each, where most are (up to where nothing
    /// new comes for a while), or all.
    pub(crate) fn read(paths: &[PathBuf], extent: Extent, observer: &dyn Observer) -> Result<Self, Error> {
        let mut mapped = Self::default();
        for path in paths {
            refuse_stream(path)?;
            let mut input = open(path)?;
            input.set_cancel(observer.cancel_flag());
            // Unless a file is read once, the first segment has the mappings of all of it.
            if extent == Extent::Beginning {
                input.read_once();
            }
            while let Some(segment) = input.next_segment().map_err(recording_error)? {
                let known = mapped.len();
                let metadata = input.metadata();
                let listed = listed_build_ids(metadata);
                for record in segment.side_records() {
                    if let Change::Map(mapping) = &record.change {
                        let id = mapping.file.build_id;
                        mapped.add(mapping, id.or_else(|| listed.get(listed_name(mapping)).copied()));
                    }
                }
                mapped.add_release(metadata);
                if extent == Extent::All || mapped.len() == known {
                    break;
                }
            }
        }
        Ok(mapped)
    }

    fn len(&self) -> usize {
        let builds = self.files.values().chain(self.modules.values()).map(BTreeSet::len);
        self.kernel.len() + builds.sum::<usize>()
    }

    /// Adds the kernel that made a recording.
    pub(crate) fn add_release(&mut self, metadata: &Metadata) {
        self.releases.extend(metadata.os_release.clone());
    }

    /// Adds a mapping of a file that has this build id.
    pub(crate) fn add(&mut self, mapping: &Mapping, id: Option<BuildId>) {
        let name = mapping.file.name.as_str();
        if !mapping.executable || matches!(mapping.cpumode, CpuMode::GuestKernel | CpuMode::GuestUser) {
            return;
        }
        let is_kernel = name.starts_with(KERNEL_MAP);
        if is_kernel {
            self.kernel.insert(id);
        } else if mapping.cpumode == CpuMode::Kernel {
            self.modules.entry(kernel_module::key(name)).or_default().insert(id);
        } else if name.starts_with('/') && !name.starts_with("//") {
            let path = undeleted(name);
            match self.files.get_mut(path) {
                Some(ids) => ids.insert(id),
                None => self.files.entry(path.to_owned()).or_default().insert(id),
            };
        }
    }
}

fn listed_build_ids(metadata: &Metadata) -> FxHashMap<&str, BuildId> {
    let entries = metadata.build_ids.iter();
    entries.map(|entry| (entry.name.as_str(), entry.id)).collect()
}

/// A stream cannot be read twice.
fn refuse_stream(path: &Path) -> Result<(), Error> {
    let (file, name) = if path.as_os_str() == STANDARD_INPUT {
        (Path::new("/dev/stdin"), "standard input".to_owned())
    } else {
        (path, path.display().to_string())
    };
    // A file that is not there is reported by who opens it.
    match file.metadata() {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => Err(Error::new(
            ErrorCode::Unsupported,
            format!("{name} is a stream: what it maps is known only when its samples have gone by, so no binaries can be looked for"),
        )
        .path(path)
        .hint("Write the recording to a file first, or name each binary with --binary.")),
        _ => Ok(()),
    }
}
