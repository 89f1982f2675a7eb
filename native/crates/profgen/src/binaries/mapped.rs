//! The mappings of recordings, read before anything is counted. They give the names to look for binaries by.

use std::collections::{BTreeMap, BTreeSet};

use perfdata::{BuildId, CpuMode, KERNEL_IMAGE, Mapping, Metadata};

use crate::binaries::kernel_module;
use crate::binaries::target::undeleted;

/// Executable mappings of recordings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// Paths of files, each with its build ids. `None` stands for a mapping without a build id in the
    /// recording.
    pub files: BTreeMap<String, BTreeSet<Option<BuildId>>>,
    /// Build ids of the kernel itself; empty if the kernel is not mapped.
    pub kernel: BTreeSet<Option<BuildId>>,
    /// Build ids of kernel modules, by the module's name with `_` for `-`.
    pub modules: BTreeMap<String, BTreeSet<Option<BuildId>>>,
    /// Releases of the kernels that made the recordings.
    pub releases: BTreeSet<String>,
}

impl Mapped {
    /// Returns the number of builds of files.
    pub(crate) fn len(&self) -> usize {
        let builds = self.files.values().chain(self.modules.values()).map(BTreeSet::len);
        self.kernel.len() + builds.sum::<usize>()
    }

    /// Adds the release of the kernel that made a recording.
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
