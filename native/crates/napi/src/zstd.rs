//! zstd for the TypeScript reader on a Node whose own zlib module has none (before 22.15).

use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi::{Error, Result};
use napi_derive::napi;
use zstd_safe::{DCtx, InBuffer, OutBuffer};

/// Most that one call may produce. A perf record holds at most 64 KiB of compressed data; perf's ring
/// buffer, the unit that it compresses, is far smaller than this.
const MAX_OUTPUT: usize = 64 << 20;

/// A streaming decoder: all payloads of one perf.data stream form one frame that never ends.
#[napi]
pub struct BindingZstdDecoder {
    context: DCtx<'static>,
}

#[napi]
impl BindingZstdDecoder {
    /// A decoder at the start of a stream.
    #[napi(constructor)]
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self {
            context: DCtx::create(),
        }
    }

    /// Decodes the next payload.
    ///
    /// # Errors
    /// Damaged data, or more output than a recording can hold.
    #[napi]
    pub fn decode(&mut self, payload: Uint8Array) -> Result<Buffer> {
        let mut input = InBuffer::around(payload.as_ref());
        let mut decoded = Vec::new();
        let mut block = vec![0; DCtx::out_size()];
        loop {
            let mut output = OutBuffer::around(&mut block[..]);
            self.context
                .decompress_stream(&mut output, &mut input)
                .map_err(|code| Error::from_reason(format!("zstd: {}", zstd_safe::get_error_name(code))))?;
            let produced = output.pos();
            decoded.extend_from_slice(&block[..produced]);
            if decoded.len() > MAX_OUTPUT {
                return Err(Error::from_reason("zstd: a record unpacks to more than 64 MiB"));
            }
            if input.pos() == payload.len() && produced < block.len() {
                return Ok(decoded.into());
            }
        }
    }
}
