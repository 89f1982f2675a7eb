//! What recordings have mapped, before anything of them is counted: the names to look for binaries by.

use std::collections::{BTreeMap, BTreeSet};

use perfdata::{BuildId, CpuMode, KERNEL_IMAGE, Mapping, Metadata};

use crate::binaries::kernel_module;
use crate::binaries::target::undeleted;

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
    /// How many builds of files there are.
    pub(crate) fn len(&self) -> usize {
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
        if !mapping.executable || mapping.cpumode.is_guest() {
            return;
        }
        let is_kernel = name.starts_with(KERNEL_IMAGE);
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
