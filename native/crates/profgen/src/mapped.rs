//! What recordings have mapped, before anything of them is counted: the names to look for binaries by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use perfdata::{BuildId, Change, CpuMode, Mapping, Metadata, PerfData};
use rustc_hash::FxHashMap;

use crate::binding::KERNEL_MAP;
use crate::error::{Error, ErrorCode};
use crate::failure::input_error;
use crate::module;
use crate::observer::Observer;
use crate::sampling::STANDARD_INPUT;

/// Executable mappings of recordings.
#[derive(Debug, Default)]
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
    /// Reads the mappings of all recordings, and nothing else of them.
    pub(crate) fn read(paths: &[PathBuf], observer: &dyn Observer) -> Result<Self, Error> {
        let mut mapped = Self::default();
        for path in paths {
            refuse_stream(path)?;
            let mut input = if path.as_os_str() == STANDARD_INPUT {
                PerfData::from_stdin()
            } else {
                PerfData::open(path)
            }
            .map_err(|error| input_error(error).path(path))?;
            input.set_cancel(observer.cancel_flag());
            // The first segment has the mappings of the whole file.
            if let Some(segment) = input.next_segment().map_err(input_error)? {
                let metadata = input.metadata();
                let listed = listed_build_ids(metadata);
                for record in segment.side_records() {
                    if let Change::Map(mapping) = &record.change {
                        mapped.add(mapping, &listed);
                    }
                }
                mapped.releases.extend(metadata.os_release.clone());
            }
        }
        Ok(mapped)
    }

    fn add(&mut self, mapping: &Mapping, listed: &FxHashMap<&str, BuildId>) {
        let name = mapping.file.name.as_str();
        if !mapping.executable || matches!(mapping.cpumode, CpuMode::GuestKernel | CpuMode::GuestUser) {
            return;
        }
        let is_kernel = name.starts_with(KERNEL_MAP);
        let id = mapping.file.build_id.or_else(|| {
            let name = if is_kernel { KERNEL_MAP } else { name };
            listed.get(name).copied()
        });
        if is_kernel {
            self.kernel.insert(id);
        } else if mapping.cpumode == CpuMode::Kernel {
            self.modules.entry(module::key(name)).or_default().insert(id);
        } else if name.starts_with('/') && !name.starts_with("//") {
            let path = name.strip_suffix(" (deleted)").unwrap_or(name);
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
