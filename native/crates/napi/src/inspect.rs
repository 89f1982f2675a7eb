//! Describes recordings.

use ::inspect::Inspection;
use job::count_of;
use napi::bindgen_prelude::{AsyncTask, BigInt};
use napi_derive::napi;
use perfdata::ByteOrder;

use crate::job::{BindingCancelToken, ProgressFunction};
use crate::number::count;
use crate::task::{JobTask, Success, run_job};

/// The result of an inspection that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingInspectSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// The description of the recording.
    pub value: BindingInspection,
}

/// The content of a recording.
#[napi(object, object_from_js = false)]
pub struct BindingInspection {
    /// Byte order of the machine that made the recording.
    #[napi(ts_type = "'little' | 'big'")]
    pub endian: String,
    /// Version of the format.
    #[napi(ts_type = "1 | 2")]
    pub version: u32,
    /// True if the recording is a stream of records (pipe mode).
    pub pipe: bool,
    /// True if the recording is a directory of `perf record --threads`.
    pub directory: bool,
    /// True if the recording has compressed records.
    pub compressed: bool,
    /// False if the recording ends early.
    pub complete: bool,
    /// Descriptions of what is damaged or could not be read.
    pub problems: Vec<String>,
    /// Number of samples, decodable or not.
    #[napi(ts_type = "bigint")]
    pub samples: BigInt,
    /// Number of mappings.
    pub mmaps: f64,
    /// Largest number of branch entries in a sample.
    pub branch_depth: f64,
    /// Number of records that the kernel lost.
    #[napi(ts_type = "bigint")]
    pub lost_records: BigInt,
    /// Number of samples that the kernel lost.
    #[napi(ts_type = "bigint")]
    pub lost_samples: BigInt,
    /// Number of samples that belong to no event.
    #[napi(ts_type = "bigint")]
    pub unknown_event: BigInt,
    /// Number of samples that are too short for their fields.
    #[napi(ts_type = "bigint")]
    pub too_short: BigInt,
    /// First and last time stamp in nanoseconds, in decimal digits.
    #[napi(ts_type = "[string, string]")]
    pub time_span: Option<Vec<String>>,
    /// The events of the recording.
    pub events: Vec<BindingEvent>,
    /// Build id and name of each image that has a build id, sorted.
    #[napi(ts_type = "[string, string][]")]
    pub build_ids: Vec<Vec<String>>,
    /// Mapped images, the one with most samples first.
    pub images: Vec<BindingImage>,
    /// Name of the host.
    pub hostname: Option<String>,
    /// Release of the kernel.
    pub os_release: Option<String>,
    /// Architecture as uname states it.
    pub arch: Option<String>,
    /// Description of the CPU.
    pub cpu: Option<String>,
    /// Identifier of the CPU.
    pub cpu_id: Option<String>,
    /// Number of CPUs online.
    pub cpus: Option<u32>,
    /// Depth of the branch stack of the CPU.
    pub branch_stack_depth: Option<String>,
    /// Version of perf.
    pub perf_version: Option<String>,
    /// Command line of perf.
    pub command_line: Vec<String>,
}

/// An event of the recording.
#[napi(object, object_from_js = false)]
pub struct BindingEvent {
    /// Name of the event.
    pub name: String,
    /// Type of the event, PERF_TYPE_*.
    pub event_type: u32,
    /// Configuration of the event, hexadecimal with 0x.
    pub config: String,
    /// Sample period, or sample frequency.
    #[napi(ts_type = "bigint")]
    pub sample_period: BigInt,
    /// True if `samplePeriod` is a frequency.
    pub is_frequency: bool,
    /// Low word of `branch_sample_type`.
    pub branch_sample_type: u32,
    /// Number of samples of the event.
    #[napi(ts_type = "bigint")]
    pub samples: BigInt,
    /// Number of samples with a branch entry.
    #[napi(ts_type = "bigint")]
    pub branch_samples: BigInt,
    /// Number of branch entries.
    #[napi(ts_type = "bigint")]
    pub branch_entries: BigInt,
}

/// A mapped image.
#[napi(object, object_from_js = false)]
pub struct BindingImage {
    /// Path of the image.
    pub path: String,
    /// Build id in hexadecimal digits.
    pub build_id: Option<String>,
    /// Number of samples in the image.
    #[napi(ts_type = "bigint")]
    pub samples: BigInt,
}

/// Reads a recording and describes it.
#[napi(ts_return_type = "Promise<BindingInspectSuccess | BindingFailure>")]
pub fn inspect_recording(
    path: String,
    cancel: &BindingCancelToken,
    #[napi(ts_arg_type = "((progress: BindingProgress) => void) | undefined")] on_progress: Option<ProgressFunction>,
) -> AsyncTask<JobTask<Inspection>> {
    run_job(cancel, on_progress, move |job| {
        Ok(::inspect::inspect(path.as_ref(), job)?)
    })
}

impl Success for Inspection {
    type Object = BindingInspectSuccess;

    fn into_object(self) -> BindingInspectSuccess {
        let problems = problems(&self);
        let metadata = self.metadata;
        let branch_stack_depth = metadata
            .pmu_capabilities
            .iter()
            .find(|(pmu, name, _)| (pmu.is_empty() || pmu == "cpu") && name == "branches")
            .map(|(_, _, value)| value.clone());
        let events = metadata
            .attrs
            .iter()
            .zip(&self.events)
            .map(|(attr, counts)| BindingEvent {
                name: attr.label(),
                event_type: attr.event_type,
                config: format!("{:#x}", attr.config),
                sample_period: BigInt::from(attr.sample_period),
                is_frequency: attr.is_frequency(),
                branch_sample_type: attr.branch_sample_type as u32,
                samples: BigInt::from(counts.samples),
                branch_samples: BigInt::from(counts.branch_samples),
                branch_entries: BigInt::from(counts.branch_entries),
            });
        let images = self.images.into_iter().map(|image| BindingImage {
            path: image.path,
            build_id: image.build_id,
            samples: BigInt::from(image.samples),
        });
        let value = BindingInspection {
            endian: match metadata.byte_order {
                ByteOrder::Little => "little",
                ByteOrder::Big => "big",
            }
            .to_owned(),
            version: u32::from(metadata.version),
            pipe: metadata.pipe,
            directory: self.directory,
            compressed: metadata.compressed,
            complete: self.stats.complete(),
            problems,
            samples: BigInt::from(self.stats.samples() + self.traced),
            mmaps: count(self.stats.mmaps()),
            branch_depth: count(self.branch_depth),
            lost_records: BigInt::from(self.stats.lost_records),
            lost_samples: BigInt::from(self.stats.lost_samples),
            unknown_event: BigInt::from(self.unknown_event),
            too_short: BigInt::from(self.too_short),
            time_span: self
                .time_span
                .map(|(first, last)| vec![first.to_string(), last.to_string()]),
            events: events.collect(),
            build_ids: self.build_ids.into_iter().map(|(id, path)| vec![id, path]).collect(),
            images: images.collect(),
            hostname: metadata.hostname,
            os_release: metadata.os_release,
            arch: metadata.arch,
            cpu: metadata.cpu_description,
            cpu_id: metadata.cpu_id,
            cpus: metadata.cpus.map(|(_, online)| online),
            branch_stack_depth,
            perf_version: metadata.perf_version,
            command_line: metadata.command_line,
        };
        BindingInspectSuccess { ok: true, value }
    }
}

/// Describes the damage of a recording, one sentence for each kind.
fn problems(inspection: &Inspection) -> Vec<String> {
    let Inspection { metadata, stats, .. } = inspection;
    let damage = stats.damage.iter().map(ToString::to_string);
    let features = metadata.unreadable_features.iter();
    let features = features.map(|feature| format!("its feature section {feature} is cut or damaged"));
    let malformed = (stats.malformed_records > 0)
        .then(|| count_of(stats.malformed_records, "record") + " other than samples have too few bytes");
    damage.chain(features).chain(malformed).collect()
}
