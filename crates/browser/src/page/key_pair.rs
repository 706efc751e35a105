//! A key pair with which this browser proves that it is the same browser as before.

use js_sys::{Array, ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

use crate::js::{dictionary::dictionary, error::BrowserError, promise::settled};

/// A key pair for key agreement (ECDH, P-256). The browser never gives out the private key, not even to this page.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The `CryptoKeyPair`.
    pair: JsValue,
    public_key: Vec<u8>,
}

impl KeyPair {
    /// Generates a key pair.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser cannot, as outside of a secure context.
    pub async fn generate() -> Result<Self, BrowserError> {
        let pair = settled(generate_key(&curve(&[]), false, &usages("deriveKey"))?).await?;
        Self::of_value(pair).await
    }

    /// The public key: a point, uncompressed (SEC 1).
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Agrees on a key with the owner of another public key, and authenticates each text with it (HMAC-SHA-256). The other side gets
    /// the same results.
    ///
    /// # Errors
    /// [`BrowserError`] where the public key is none.
    pub async fn authenticate<const COUNT: usize>(
        &self,
        other: &[u8],
        texts: [&str; COUNT],
    ) -> Result<[Vec<u8>; COUNT], BrowserError> {
        let other = import_key("raw", &other.into(), &curve(&[]), false, &Array::new())?;
        let agreement = curve(&[("public", settled(other).await?)]);
        let hmac = dictionary(&[
            ("name", "HMAC".into()),
            ("hash", "SHA-256".into()),
            ("length", JsValue::from_f64(256.0)),
        ]);
        let private_key = Reflect::get(&self.pair, &"privateKey".into())?;
        let key = derive_key(&agreement, &private_key, &hmac, false, &usages("sign"))?;
        let key = settled(key).await?;
        let mut results = [const { Vec::new() }; COUNT];
        for (result, text) in results.iter_mut().zip(texts) {
            *result = bytes(settled(sign("HMAC", &key, &text.as_bytes().into())?).await?);
        }
        Ok(results)
    }

    /// For storage: a value that IndexedDB clones.
    pub(super) fn as_value(&self) -> &JsValue {
        &self.pair
    }

    /// Reads the value of [`Self::as_value`].
    pub(super) async fn of_value(pair: JsValue) -> Result<Self, BrowserError> {
        let public_key = export_key("raw", &Reflect::get(&pair, &"publicKey".into())?)?;
        Ok(Self { pair, public_key: bytes(settled(public_key).await?) })
    }
}

fn curve(members: &[(&str, JsValue)]) -> Object {
    let own = [("name", JsValue::from_str("ECDH")), ("namedCurve", JsValue::from_str("P-256"))];
    dictionary(&[&own, members].concat())
}

fn usages(usage: &str) -> Array {
    Array::of1(&usage.into())
}

fn bytes(buffer: JsValue) -> Vec<u8> {
    Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>()).to_vec()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = generateKey)]
    fn generate_key(algorithm: &Object, is_extractable: bool, usages: &Array) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = exportKey)]
    fn export_key(format: &str, key: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    fn import_key(
        format: &str,
        bytes: &Uint8Array,
        algorithm: &Object,
        is_extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = deriveKey)]
    fn derive_key(
        algorithm: &Object,
        base: &JsValue,
        derived: &Object,
        is_extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"])]
    fn sign(algorithm: &str, key: &JsValue, text: &Uint8Array) -> Result<Promise, JsValue>;
}
