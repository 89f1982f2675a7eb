//! Facts that a recording states about itself.

use crate::attr::EventAttr;
use crate::build_id::BuildIdEntry;
use crate::byte_order::ByteOrder;

/// The hardware that wrote the raw trace of a recording (perf: enum auxtrace_type).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceFormat {
    /// Intel Processor Trace.
    IntelPt,
    /// Intel Branch Trace Store.
    IntelBts,
    /// Arm CoreSight.
    CoreSight,
    /// Arm's Statistical Profiling Extension.
    ArmSpe {
        /// Type number of the trace's event.
        event_type: u32,
    },
    /// Another kind of hardware, by its number.
    Other(u32),
}

impl TraceFormat {
    /// Reads AUXTRACE_INFO: u32 type, u32 reserved, and words that depend on the type. The words of Arm SPE are the
    /// event's type, and whether each CPU has a buffer. Since perf 6.14 there are more words: a version, the size of
    /// the words that all CPUs share, the event's type, and others.
    pub(crate) fn parse(record: &[u8], order: ByteOrder) -> Option<Self> {
        const WORDS: usize = 16;
        Some(match order.u32(record, 8)? {
            1 => Self::IntelPt,
            2 => Self::IntelBts,
            3 => Self::CoreSight,
            4 => {
                let is_first_version = record.len() <= WORDS + 16;
                let event_type = order.u64(record, if is_first_version { WORDS } else { WORDS + 16 })?;
                Self::ArmSpe {
                    event_type: u32::try_from(event_type).ok()?,
                }
            }
            other => Self::Other(other),
        })
    }
}

/// Header, events and features of a recording. For a pipe, the facts that have been read so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The byte order of the recording machine.
    pub byte_order: ByteOrder,
    /// Version of the format: 2 since Linux 3.6, 1 before.
    pub version: u8,
    /// True for a stream without a file header (`perf record -o -`).
    pub pipe: bool,
    /// True if records were compressed (`perf record -z`).
    pub compressed: bool,
    /// The events of the recording.
    pub attrs: Vec<EventAttr>,
    /// Format of the raw trace between the records, if there is a raw trace.
    pub trace: Option<TraceFormat>,
    /// Name of the host.
    pub hostname: Option<String>,
    /// Release of the kernel.
    pub os_release: Option<String>,
    /// Version of the perf that recorded.
    pub perf_version: Option<String>,
    /// Architecture, as `uname -m` prints it.
    pub arch: Option<String>,
    /// Numbers of CPUs: available, online.
    pub cpus: Option<(u32, u32)>,
    /// Model of the CPU.
    pub cpu_description: Option<String>,
    /// Id of the CPU, such as `GenuineIntel,6,85,4`.
    pub cpu_id: Option<String>,
    /// The command line of the perf that wrote the file.
    pub command_line: Vec<String>,
    /// Times of the first and the last sample, in nanoseconds.
    pub sample_time: Option<(u64, u64)>,
    /// Capabilities of PMUs: PMU name (empty for the core PMU of older perf), capability, value.
    pub pmu_capabilities: Vec<(String, String, String)>,
    /// Build ids from the BUILD_ID feature and from HEADER_BUILD_ID records.
    pub build_ids: Vec<BuildIdEntry>,
    /// Numbers of the features that the recording has.
    pub features: Vec<u32>,
    /// Numbers of features whose sections are cut off or cannot be read.
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
            trace: None,
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

    /// Returns the index in `attrs` of the event of Arm SPE, if there is one.
    #[must_use]
    pub fn arm_spe_event(&self) -> Option<usize> {
        match self.trace {
            Some(TraceFormat::ArmSpe { event_type }) => {
                self.attrs.iter().position(|attr| attr.event_type == event_type)
            }
            _ => None,
        }
    }
}
