/// The calling conventions of OpenSSL's `i2d_` and `d2i_` functions.
enum DER {
    /// - Parameter write: an `i2d_` function with its object bound.
    static func encode(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
        let count = write(nil)
        guard count > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(count))
        let written = bytes.withUnsafeMutableBufferPointer { buffer in
            // It moves the pointer that it is given past what it wrote.
            var cursor = buffer.baseAddress
            return write(&cursor)
        }
        return written == count ? bytes : nil
    }

    /// Decodes exactly one object: bytes left over are a failure, because two readers could disagree about them.
    static func decode(
        _ bytes: [UInt8], _ read: (UnsafeMutablePointer<UnsafePointer<UInt8>?>?, Int) -> OpaquePointer?,
        free: (OpaquePointer?) -> Void
    ) -> OpaquePointer? {
        bytes.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            guard let object = read(&cursor, buffer.count) else { return nil }
            guard let start = buffer.baseAddress, let cursor, cursor - start == buffer.count else {
                free(object)
                return nil
            }
            return object
        }
    }
}
