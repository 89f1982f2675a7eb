//! What a profile holds.

use napi::bindgen_prelude::{AsyncTask, BigInt};
use napi_derive::napi;
use profdata::{Description, ShowRequest};
use sampleprof::Format;

use crate::job::BindingCancelToken;
use crate::number::count;
use crate::outcome::BindingDiagnostic;
use crate::task::{JobTask, Success, run_job};

/// What to tell of a profile.
#[napi(object, object_to_js = false)]
pub struct BindingShowOptions {
    /// The profile.
    pub path: String,
    /// How many functions to list.
    pub top: u32,
    /// The section table in `text`.
    pub sections: Option<bool>,
    /// The summary in `text`.
    pub detailed_summary: Option<bool>,
    /// Hot functions in `text`.
    pub hot_functions: Option<bool>,
    /// Most hot functions in `text`.
    pub top_hot: Option<u32>,
}

/// A description that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingShowSuccess {
    /// Tells a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// The description.
    pub value: BindingDescription,
}

/// What a profile holds.
#[napi(object, object_from_js = false)]
pub struct BindingDescription {
    /// Its encoding.
    #[napi(ts_type = "'extbinary' | 'binary' | 'text'")]
    pub format: String,
    /// Its size in bytes.
    pub size: f64,
    /// Discriminators are flow-sensitive.
    pub flow_sensitive: bool,
    /// Locations are pseudo probes.
    pub probe_based: bool,
    /// llvm-profgen's pre-inliner has chosen what to inline.
    pub pre_inlined: bool,
    /// Functions in contexts, if functions are told apart by them.
    pub contexts: Option<f64>,
    /// Functions without samples are unknown, not cold.
    pub partial: bool,
    /// Names are MD5 hashes.
    pub md5: bool,
    /// Names on the profile symbol list, if there is one.
    pub symbols: Option<f64>,
    /// How counts are distributed.
    pub summary: BindingProfileSummary,
    /// Samples for each line of the hot part.
    pub density: f64,
    /// Sum of the functions' totals.
    #[napi(ts_type = "bigint")]
    pub total_samples: BigInt,
    /// The smallest hot count.
    #[napi(ts_type = "bigint")]
    pub hot_threshold: BigInt,
    /// Functions with a hot count.
    pub hot_functions: f64,
    /// The hottest functions.
    pub functions: Vec<BindingFunctionLine>,
    /// The parts of an extbinary profile.
    pub sections: Vec<BindingSection>,
    /// What was asked for in llvm-profdata's words.
    pub text: String,
    /// Why counts are not the true ones.
    pub diagnostics: Vec<BindingDiagnostic>,
}

/// How counts are distributed.
#[napi(object, object_from_js = false)]
pub struct BindingProfileSummary {
    /// Sum of body counts.
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
    /// The largest counts that make up each share.
    pub entries: Vec<BindingSummaryEntry>,
}

/// The largest counts that make up some share of all.
#[napi(object, object_from_js = false)]
pub struct BindingSummaryEntry {
    /// The share in millionths.
    pub cutoff: u32,
    /// The smallest of them.
    #[napi(ts_type = "bigint")]
    pub min_count: BigInt,
    /// How many there are.
    pub counts: f64,
}

/// A function.
#[napi(object, object_from_js = false)]
pub struct BindingFunctionLine {
    /// Its name.
    pub name: String,
    /// Samples in it.
    #[napi(ts_type = "bigint")]
    pub total: BigInt,
    /// How often it was entered.
    #[napi(ts_type = "bigint")]
    pub head: BigInt,
}

/// A part of an extbinary profile.
#[napi(object, object_from_js = false)]
pub struct BindingSection {
    /// As llvm-profdata names it.
    pub name: String,
    /// Where it starts.
    pub offset: f64,
    /// Its size in bytes.
    pub size: f64,
    /// As llvm-profdata names them.
    pub flags: String,
}

/// Describes a profile.
#[napi(ts_return_type = "Promise<BindingShowSuccess | BindingFailure>")]
pub fn show_profile(options: BindingShowOptions, cancel: &BindingCancelToken) -> AsyncTask<JobTask<Description>> {
    run_job(cancel, None, move |_| {
        Ok(profdata::show(&ShowRequest {
            path: options.path.into(),
            top: options.top as usize,
            sections: options.sections.unwrap_or_default(),
            detailed_summary: options.detailed_summary.unwrap_or_default(),
            hot_functions: options.hot_functions.unwrap_or_default(),
            top_hot: options.top_hot.map(|top| top as usize),
        })?)
    })
}

/// `text` with every mangled name of C++ or Rust in it demangled.
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
