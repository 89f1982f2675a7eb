//! The metadata of a file.

use parquet::file::metadata::KeyValue;

use crate::error::Error;
use crate::schema::SCHEMA_VERSION;
use crate::text::shown;

const VERSION: &str = "autofdo.schema_version";
const TOOL: &str = "autofdo.tool";
const FIRST: &str = "autofdo.first_sample_ns";
const LAST: &str = "autofdo.last_sample_ns";
const WRITTEN: &str = "autofdo.written_unix_s";
const HOST: &str = "autofdo.host";

/// The facts that a file states beside its rows. An engine that adds files up keeps none of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Version of the schema; `None` in a file that an engine wrote.
    pub schema_version: Option<u32>,
    /// Name and version of the program that collected the traces.
    pub tool: Option<String>,
    /// Times of the first and the last sample, in nanoseconds of the recording's clock.
    pub sample_times: Option<(u64, u64)>,
    /// Time at which the file was finished, in seconds since 1970.
    pub written: Option<u64>,
    /// Name of the host, if the collection was asked to write it.
    pub host: Option<String>,
}

impl Metadata {
    pub(crate) fn to_pairs(&self) -> Vec<KeyValue> {
        let pair = |key: &str, value: Option<String>| Some(KeyValue::new(key.to_owned(), value?));
        [
            pair(VERSION, Some(SCHEMA_VERSION.to_string())),
            pair(TOOL, self.tool.clone()),
            pair(FIRST, self.sample_times.map(|(first, _)| first.to_string())),
            pair(LAST, self.sample_times.map(|(_, last)| last.to_string())),
            pair(WRITTEN, self.written.map(|time| time.to_string())),
            pair(HOST, self.host.clone()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub(crate) fn of(pairs: Option<&Vec<KeyValue>>) -> Result<Self, Error> {
        let value = |key: &str| {
            let pair = pairs?.iter().find(|pair| pair.key == key)?;
            pair.value.clone()
        };
        let number = |key: &str| value(key)?.parse().ok();
        let schema_version = match value(VERSION) {
            None => None,
            Some(text) => match text.parse() {
                Err(_) | Ok(0) => return Err(Error::Version { found: shown(&text) }),
                Ok(version) if version <= SCHEMA_VERSION => Some(version),
                Ok(_) => {
                    return Err(Error::Newer {
                        found: text,
                        known: SCHEMA_VERSION,
                    });
                }
            },
        };
        Ok(Self {
            schema_version,
            tool: value(TOOL),
            sample_times: number(FIRST).zip(number(LAST)),
            written: number(WRITTEN),
            host: value(HOST),
        })
    }
}
