internal import COpenSSL
internal import SalvorSystem

extension WrappedKey {
    /// - Parameter key: 32 bytes.
    /// - Returns: nil where it is not the key that this one was encrypted with.
    func unwrapped(by key: SecretBytes) throws(AgentError) -> SecretBytes? {
        guard key.count == 32 else { return nil }
        guard let context = EVP_CIPHER_CTX_new() else { throw .cryptography }
        defer { EVP_CIPHER_CTX_free(context) }
        var tag = tag
        guard EVP_DecryptInit_ex(context, EVP_aes_256_ccm(), nil, nil, nil) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, Int32(nonce.count), nil) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1
        else { throw .cryptography }
        var length: Int32 = 0
        var isRight = false
        let plain = SecretBytes(count: ciphertext.count) { (bytes) in
            let output = bytes.bindMemory(to: UInt8.self).baseAddress
            isRight = key.withBytes { key in
                EVP_DecryptInit_ex(context, nil, nil, key.bindMemory(to: UInt8.self).baseAddress, nonce) == 1
                    && EVP_DecryptUpdate(context, output, &length, ciphertext, Int32(ciphertext.count)) == 1
            }
        }
        guard isRight else { return nil }
        // Size, version, and method in front of the key itself.
        return plain.withBytes { bytes in
            littleEndian(bytes.prefix(2)) == UInt64(bytes.count) ? SecretBytes(bytes.dropFirst(12)) : nil
        }
    }
}
