internal import COpenSSL

/// The entries of this thread's OpenSSL error queue, taken from it.
struct OpenSSLErrors: Error, CustomStringConvertible {
    /// Oldest first.
    let codes: [UInt]

    /// Empties the queue: what is left in it would be blamed on the next call.
    static func drain() -> OpenSSLErrors {
        var codes: [UInt] = []
        while true {
            let code = ERR_get_error()
            if code == 0 { return OpenSSLErrors(codes: codes) }
            codes.append(code)
        }
    }

    /// Reasons of libssl itself, oldest first.
    var sslReasons: [Int32] {
        codes.filter { ERR_GET_LIB($0) == ERR_LIB_SSL }.map { ERR_GET_REASON($0) }
    }

    /// The TLS alert that the peer sent, when that is what happened.
    var alert: UInt8? {
        // libssl reports an alert as its number above this offset.
        for reason in sslReasons where reason > SSL_AD_REASON_OFFSET {
            if let alert = UInt8(exactly: reason - SSL_AD_REASON_OFFSET) { return alert }
        }
        return nil
    }

    var description: String {
        if codes.isEmpty { return "OpenSSL gives no reason" }
        return codes.map { code in
            var text = [CChar](repeating: 0, count: 256)
            ERR_error_string_n(code, &text, text.count)
            return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }.joined(separator: "; ")
    }
}

extension TransportError {
    /// OpenSSL would not do `what`; takes the reasons from its queue.
    static func openSSL(_ what: String) -> TransportError {
        TransportError(.cryptography, "OpenSSL cannot \(what)", cause: OpenSSLErrors.drain())
    }
}
