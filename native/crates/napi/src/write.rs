//! Writing what JavaScript made of a result.

use job::{InputFiles, Output, write_atomically};
use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi_derive::napi;

use crate::job::BindingCancelToken;
use crate::task::{JobTask, Success, run_job};

/// What to write, and what not to write over.
#[napi(object, object_to_js = false)]
pub struct BindingWriteOptions {
    /// Where to write; absent: to standard output, which the caller does.
    pub output: Option<String>,
    /// What to write in pieces, as all of it may be too long for one string; absent: only find out whether it may be written.
    pub pieces: Option<Vec<Buffer>>,
    /// The files that were read for it; `-` is standard input.
    pub inputs: Vec<String>,
}

/// What was written.
#[napi(object, object_from_js = false)]
pub struct BindingWriteSuccess {
    /// Tells a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// Its size in bytes.
    pub value: f64,
}

/// Writes bytes to a file as a whole or not at all, and never to one of the inputs.
#[napi(ts_return_type = "Promise<BindingWriteSuccess | BindingFailure>")]
pub fn write_output(options: BindingWriteOptions, cancel: &BindingCancelToken) -> AsyncTask<JobTask<Written>> {
    let content: Option<Vec<u8>> = options
        .pieces
        .map(|pieces| pieces.iter().flat_map(|piece| piece.iter().copied()).collect());
    run_job(cancel, None, move |_| {
        let mut files = InputFiles::default();
        options.inputs.iter().for_each(|path| files.add_stream(path.as_ref()));
        let output = options.output.map_or(Output::Stdout, |path| Output::File(path.into()));
        output.check(&files)?;
        if let (Output::File(path), Some(content)) = (&output, &content) {
            write_atomically(path, content, &files)?;
        }
        Ok(Written(content.map_or(0, |content| content.len())))
    })
}

/// How many bytes were written.
pub struct Written(usize);

impl Success for Written {
    type Object = BindingWriteSuccess;

    fn into_object(self) -> BindingWriteSuccess {
        BindingWriteSuccess {
            ok: true,
            value: crate::number::count(self.0 as u64),
        }
    }
}
