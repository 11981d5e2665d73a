internal import COpenSSL

/// MD5, where a protocol carries it to find accidents. It protects against nobody.
package enum MD5 {
    /// - Returns: 16 bytes; nil where the system's policy forbids it.
    package static func digest(of bytes: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: 16)
        return EVP_Digest(bytes, bytes.count, &digest, nil, EVP_md5(), nil) == 1 ? digest : nil
    }
}
