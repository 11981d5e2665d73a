/// Who a certificate of a run speaks for: the URI among its subject's alternative names.
package enum PeerIdentity: Hashable, Sendable {
    /// `salvor://RUN/coordinator`
    case coordinator(run: String)
    /// `salvor://RUN/host/HOST`
    case host(run: String, host: String)

    package var run: String {
        switch self {
        case .coordinator(let run): run
        case .host(let run, _): run
        }
    }

    package var uri: String {
        switch self {
        case .coordinator(let run): "salvor://\(run)/coordinator"
        case .host(let run, let host): "salvor://\(run)/host/\(host)"
        }
    }

    /// - Returns: nil when `uri` is not exactly what ``uri`` gives for a valid run and host.
    package init?(uri: String) {
        guard uri.hasPrefix("salvor://") else { return nil }
        let parts = uri.dropFirst("salvor://".count).split(separator: "/", omittingEmptySubsequences: false)
        guard let run = parts.first.map(String.init), Self.isValidName(run) else { return nil }
        if parts.count == 2, parts[1] == "coordinator" {
            self = .coordinator(run: run)
        } else if parts.count == 3, parts[1] == "host", Self.isValidName(String(parts[2])) {
            self = .host(run: run, host: String(parts[2]))
        } else {
            return nil
        }
    }

    /// Runs and hosts are named by 1 to 63 letters, digits, `-`, `.` and `_`, a letter or digit first: what fits into a
    /// common name, a URI and a file name without an escape.
    package static func isValidName(_ name: String) -> Bool {
        guard (1...63).contains(name.utf8.count), let first = name.utf8.first, isAlphanumeric(first) else {
            return false
        }
        return name.utf8.allSatisfy { isAlphanumeric($0) || "-._".utf8.contains($0) }
    }

    static func check(name: String, of what: String) throws(TransportError) {
        guard isValidName(name) else {
            throw TransportError(
                .badName,
                "\(what) cannot be named \(String(reflecting: name)): use 1 to 63 letters, digits, '-', '.' and '_', "
                    + "with a letter or digit first")
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

extension PeerIdentity: CustomStringConvertible {
    package var description: String { uri }
}

extension PeerIdentity {
    /// The identity that `certificate` speaks for.
    /// - Throws: ``TransportError/Code/wrongName`` unless its only alternative name is one of ours.
    package init(of certificate: Certificate) throws(TransportError) {
        let uris = certificate.subjectURIs
        guard uris.count == 1, let identity = PeerIdentity(uri: uris[0]) else {
            throw TransportError(
                .wrongName,
                "the certificate names \(uris.isEmpty ? "nobody" : uris.map { String(reflecting: $0) }.joined(separator: ", "))"
                    + ", not a host or coordinator of a run")
        }
        self = identity
    }
}
