//! Writes results that JavaScript has made.

use job::{InputFiles, Output, write_atomically};
use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi_derive::napi;

use crate::job::BindingCancelToken;
use crate::task::{JobTask, Success, run_job};

/// The bytes to write, and the files that must not be replaced.
#[napi(object, object_to_js = false)]
pub struct BindingWriteOptions {
    /// Path of the file; if absent, the caller prints the bytes to standard output.
    pub output: Option<String>,
    /// The bytes in pieces, because all of them may be too long for one string; if absent, only checks whether the
    /// file may be written.
    pub pieces: Option<Vec<Buffer>>,
    /// Paths of the files that were read for the result; `-` is standard input.
    pub inputs: Vec<String>,
}

/// The result of writing.
#[napi(object, object_from_js = false)]
pub struct BindingWriteSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// Number of bytes that were written.
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

/// Number of bytes that were written.
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
