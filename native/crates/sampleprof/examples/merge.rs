//! Merges profiles without Node and without option files, for measurements with profilers: `merge OUTPUT THREADS
//! PROFILE...`.

use std::io::{Error, Write};
use std::ops::ControlFlow;

use sampleprof::{Content, Format, MergeInput, MergeOptions, WriteOptions, merge, write};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [output, threads, paths @ ..] = arguments.as_slice() else {
        return Err(Error::other("usage: merge OUTPUT THREADS PROFILE..."));
    };
    let inputs: Vec<MergeInput> = paths
        .iter()
        .map(|path| MergeInput {
            name: path.clone(),
            weight: 1,
            content: Content::File(path.into()),
        })
        .collect();
    let threads = threads.parse().map_err(Error::other)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(Error::other)?;
    let bytes = pool.install(|| {
        let merged = merge(&inputs, MergeOptions::default(), |_| ControlFlow::Continue(())).map_err(Error::other)?;
        let options = WriteOptions {
            format: Format::ExtBinary,
            ..WriteOptions::default()
        };
        write(&merged.profile, &options).map_err(Error::other)
    })?;
    writeln!(std::io::stderr(), "{} bytes", bytes.len())?;
    std::fs::write(output, bytes)
}
