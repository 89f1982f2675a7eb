//! Describes profiles.

use napi::bindgen_prelude::{AsyncTask, BigInt};
use napi_derive::napi;
use profdata::{Description, ShowRequest};
use sampleprof::Format;

use crate::job::BindingCancelToken;
use crate::number::count;
use crate::outcome::BindingDiagnostic;
use crate::task::{JobTask, Success, run_job};

/// The profile to describe, and the parts of the description.
#[napi(object, object_to_js = false)]
pub struct BindingShowOptions {
    /// Path of the profile.
    pub path: String,
    /// Number of functions to list.
    pub top: u32,
    /// True to add the section table to `text`.
    pub sections: Option<bool>,
    /// True to add the summary to `text`.
    pub detailed_summary: Option<bool>,
    /// True to add hot functions to `text`.
    pub hot_functions: Option<bool>,
    /// Largest number of hot functions in `text`.
    pub top_hot: Option<u32>,
}

/// The result of a description that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingShowSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// The description.
    pub value: BindingDescription,
}

/// The content of a profile.
#[napi(object, object_from_js = false)]
pub struct BindingDescription {
    /// Encoding of the profile.
    #[napi(ts_type = "'extbinary' | 'binary' | 'text'")]
    pub format: String,
    /// Size in bytes.
    pub size: f64,
    /// True if discriminators are flow-sensitive.
    pub flow_sensitive: bool,
    /// True if locations are pseudo probes.
    pub probe_based: bool,
    /// True if llvm-profgen's pre-inliner has chosen what to inline.
    pub pre_inlined: bool,
    /// Number of functions in contexts, if the profile distinguishes functions by context.
    pub contexts: Option<f64>,
    /// True if functions without samples are unknown, not cold.
    pub partial: bool,
    /// True if names are MD5 hashes.
    pub md5: bool,
    /// Number of names on the profile symbol list, if there is one.
    pub symbols: Option<f64>,
    /// Distribution of the counts.
    pub summary: BindingProfileSummary,
    /// Number of samples for each line of the hot part.
    pub density: f64,
    /// Sum of the totals of all functions.
    #[napi(ts_type = "bigint")]
    pub total_samples: BigInt,
    /// The smallest hot count.
    #[napi(ts_type = "bigint")]
    pub hot_threshold: BigInt,
    /// Number of functions with a hot count.
    pub hot_functions: f64,
    /// The hottest functions.
    pub functions: Vec<BindingFunctionLine>,
    /// The sections of an extbinary profile.
    pub sections: Vec<BindingSection>,
    /// The requested parts in the words of llvm-profdata.
    pub text: String,
    /// Reasons why counts are not the true ones.
    pub diagnostics: Vec<BindingDiagnostic>,
}

/// Distribution of the counts of a profile.
#[napi(object, object_from_js = false)]
pub struct BindingProfileSummary {
    /// Sum of the body counts.
    #[napi(ts_type = "bigint")]
    pub total_count: BigInt,
    /// Largest body count.
    #[napi(ts_type = "bigint")]
    pub max_count: BigInt,
    /// Largest head count.
    #[napi(ts_type = "bigint")]
    pub max_function_count: BigInt,
    /// Number of body counts.
    pub counts: f64,
    /// Number of functions.
    pub functions: f64,
    /// The largest counts that make up each share of the sum.
    pub entries: Vec<BindingSummaryEntry>,
}

/// The largest counts that make up one share of the sum.
#[napi(object, object_from_js = false)]
pub struct BindingSummaryEntry {
    /// The share of the sum in millionths.
    pub cutoff: u32,
    /// The smallest of these counts.
    #[napi(ts_type = "bigint")]
    pub min_count: BigInt,
    /// Number of these counts.
    pub counts: f64,
}

/// A function of the profile.
#[napi(object, object_from_js = false)]
pub struct BindingFunctionLine {
    /// Name of the function.
    pub name: String,
    /// Number of samples in the function.
    #[napi(ts_type = "bigint")]
    pub total: BigInt,
    /// Number of times that the function was entered.
    #[napi(ts_type = "bigint")]
    pub head: BigInt,
}

/// A section of an extbinary profile.
#[napi(object, object_from_js = false)]
pub struct BindingSection {
    /// Name of the section in the words of llvm-profdata.
    pub name: String,
    /// Offset of the section in bytes.
    pub offset: f64,
    /// Size of the section in bytes.
    pub size: f64,
    /// Flags of the section in the words of llvm-profdata.
    pub flags: String,
}

/// Describes a profile.
#[napi(ts_return_type = "Promise<BindingShowSuccess | BindingFailure>")]
pub fn show_profile(options: BindingShowOptions, cancel: &BindingCancelToken) -> AsyncTask<JobTask<Description>> {
    run_job(cancel, None, move |job| {
        let request = ShowRequest {
            path: options.path.into(),
            top: options.top as usize,
            sections: options.sections.unwrap_or_default(),
            detailed_summary: options.detailed_summary.unwrap_or_default(),
            hot_functions: options.hot_functions.unwrap_or_default(),
            top_hot: options.top_hot.map(|top| top as usize),
        };
        Ok(profdata::show(&request, job)?)
    })
}

/// Demangles every mangled name of C++ or Rust in `text`.
#[napi]
#[must_use]
#[allow(clippy::needless_pass_by_value)]
pub fn demangle(text: String) -> String {
    profdata::demangle(&text)
}

impl Success for Description {
    type Object = BindingShowSuccess;

    fn into_object(self) -> BindingShowSuccess {
        let entries = self.summary.entries.iter().map(|entry| BindingSummaryEntry {
            cutoff: entry.cutoff,
            min_count: BigInt::from(entry.min_count),
            counts: count(entry.num_counts),
        });
        let functions = self.functions.into_iter().map(|function| BindingFunctionLine {
            name: function.name,
            total: BigInt::from(function.total),
            head: BigInt::from(function.head),
        });
        let sections = self.sections.iter().map(|section| BindingSection {
            name: section.name().to_owned(),
            offset: count(section.offset),
            size: count(section.size),
            flags: section.flag_names(),
        });
        let value = BindingDescription {
            format: match self.format {
                Format::Text => "text",
                Format::Binary => "binary",
                Format::ExtBinary => "extbinary",
            }
            .to_owned(),
            size: count(self.size),
            flow_sensitive: self.flags.fs_discriminators,
            probe_based: self.flags.probe_based,
            pre_inlined: self.flags.pre_inlined,
            contexts: self.contexts.map(|contexts| count(contexts as u64)),
            partial: self.flags.partial,
            md5: self.md5_names,
            symbols: self.symbols.map(|symbols| count(symbols as u64)),
            density: self.density,
            total_samples: BigInt::from(self.total_samples),
            hot_threshold: BigInt::from(self.hot_threshold),
            hot_functions: count(self.hot_functions as u64),
            functions: functions.collect(),
            sections: sections.collect(),
            text: self.text,
            diagnostics: self.diagnostics.into_iter().map(BindingDiagnostic::from).collect(),
            summary: BindingProfileSummary {
                total_count: BigInt::from(self.total_count),
                max_count: BigInt::from(self.summary.max_count),
                max_function_count: BigInt::from(self.summary.max_function_count),
                counts: count(self.summary.num_counts),
                functions: count(self.summary.num_functions),
                entries: entries.collect(),
            },
        };
        BindingShowSuccess { ok: true, value }
    }
}
