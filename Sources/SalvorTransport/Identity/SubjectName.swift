internal import COpenSSL

/// A name that a certificate vouches for: an entry of its subjectAltName.
enum SubjectName: Hashable, Sendable {
    case uri(String)
    /// A host's name, with `*` for its first label where that may be any.
    case dns(String)
    /// 4 or 16 bytes.
    case address([UInt8])

    /// - Returns: to be freed with `GENERAL_NAMES_free`.
    static func list(_ names: [SubjectName]) throws(TransportError) -> OpaquePointer {
        guard let list = GENERAL_NAMES_new() else { throw .openSSL("name the subject of a certificate") }
        for name in names {
            let (type, bytes) = name.parts
            guard salvor_GENERAL_NAMES_add(list, type, bytes, Int32(bytes.count)) == 1 else {
                GENERAL_NAMES_free(list)
                throw .openSSL("name the subject of a certificate")
            }
        }
        return list
    }

    private var parts: (type: Int32, bytes: [UInt8]) {
        switch self {
        case .uri(let text): (GEN_URI, Array(text.utf8))
        case .dns(let text): (GEN_DNS, Array(text.utf8))
        case .address(let bytes): (GEN_IPADD, bytes)
        }
    }
}
