//! What a recording says about itself.

use crate::attr::EventAttr;
use crate::build_id::BuildIdEntry;
use crate::byte_order::ByteOrder;

/// Header, events and features of a recording. Of a pipe, what has been read so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The byte order of the machine that recorded.
    pub byte_order: ByteOrder,
    /// Version of the format: 2 since Linux 3.6, 1 before.
    pub version: u8,
    /// True for a stream without a file header (`perf record -o -`).
    pub pipe: bool,
    /// True if records were compressed (`perf record -z`).
    pub compressed: bool,
    /// The events.
    pub attrs: Vec<EventAttr>,
    /// Host name.
    pub hostname: Option<String>,
    /// Kernel release.
    pub os_release: Option<String>,
    /// Version of the perf that recorded.
    pub perf_version: Option<String>,
    /// Architecture, as `uname -m` says it.
    pub arch: Option<String>,
    /// CPUs: available, online.
    pub cpus: Option<(u32, u32)>,
    /// CPU model.
    pub cpu_description: Option<String>,
    /// CPU id, such as `GenuineIntel,6,85,4`.
    pub cpu_id: Option<String>,
    /// The command line of the perf that wrote the file.
    pub command_line: Vec<String>,
    /// Times of the first and last sample.
    pub sample_time: Option<(u64, u64)>,
    /// Capabilities of PMUs: PMU name (empty for the core PMU of older perf), capability, value.
    pub pmu_capabilities: Vec<(String, String, String)>,
    /// Build ids from the BUILD_ID feature and from HEADER_BUILD_ID records.
    pub build_ids: Vec<BuildIdEntry>,
    /// Numbers of the features that are there.
    pub features: Vec<u32>,
    /// Feature sections that are cut off or cannot be read.
    pub unreadable_features: Vec<u32>,
}

impl Metadata {
    pub(crate) fn new(byte_order: ByteOrder, pipe: bool) -> Self {
        Self {
            byte_order,
            version: 2,
            pipe,
            compressed: false,
            attrs: Vec::new(),
            hostname: None,
            os_release: None,
            perf_version: None,
            arch: None,
            cpus: None,
            cpu_description: None,
            cpu_id: None,
            command_line: Vec::new(),
            sample_time: None,
            pmu_capabilities: Vec::new(),
            build_ids: Vec::new(),
            features: Vec::new(),
            unreadable_features: Vec::new(),
        }
    }
}
