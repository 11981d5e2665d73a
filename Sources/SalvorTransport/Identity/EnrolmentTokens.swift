internal import COpenSSL
package import SalvorDigest
internal import Synchronization

/// What entitles one rescue host to one certificate: 32 random bytes.
package struct EnrolmentToken: Sendable {
    package static let byteCount = 32

    /// Secret: it goes to the host's config disk, and nowhere else.
    package let bytes: [UInt8]
}

extension EnrolmentToken: CustomStringConvertible {
    package var description: String { "EnrolmentToken(secret)" }
}

/// The tokens of a run, of which only hashes are kept.
package final class EnrolmentTokens: Sendable {
    /// What is known of one token. Holds nothing secret: it can be journaled, and given back to ``init(restoring:)``.
    package struct Record: Hashable, Sendable {
        /// SHA-256 of the token.
        package var hash: Digest
        package var host: String
        package var expires: WallTime
        /// SHA-256 of the public key that used the token.
        package var usedBy: Digest?

        package init(hash: Digest, host: String, expires: WallTime, usedBy: Digest? = nil) {
            self.hash = hash
            self.host = host
            self.expires = expires
            self.usedBy = usedBy
        }
    }

    private struct State {
        var records: [Record]
        /// SPEC.md N-8.
        var attempts = AttemptLimit(failures: 10, period: .seconds(60))
    }

    private let state: Mutex<State>

    package init(restoring records: [Record] = []) { state = Mutex(State(records: records)) }

    /// In the order in which the tokens were made.
    package var all: [Record] { state.withLock { $0.records } }

    /// Makes the token of `host`. One that it had before is void from now on.
    package func issue(
        forHost host: String, validFor: Duration = .seconds(3600), now: WallTime = .now()
    ) throws(TransportError) -> (token: EnrolmentToken, record: Record) {
        try PeerIdentity.check(name: host, of: "a rescue host")
        var bytes = [UInt8](repeating: 0, count: EnrolmentToken.byteCount)
        guard RAND_bytes(&bytes, Int32(bytes.count)) == 1 else { throw .openSSL("draw random bytes") }
        let record = Record(hash: SHA256.digest(of: bytes), host: host, expires: now + validFor)
        state.withLock { state in
            state.records.removeAll { $0.host == host }
            state.records.append(record)
        }
        return (EnrolmentToken(bytes: bytes), record)
    }

    /// Uses a token up.
    ///
    /// The same key may use it again until it expires: the answer to the first use may have been lost on the way, and
    /// without the private key nobody can make use of a second one.
    /// - Parameters:
    ///   - publicKey: DER of the SubjectPublicKeyInfo that a certificate is wanted for.
    ///   - source: the address that it is asked for from, without the port.
    /// - Returns: the record as it is now, for the journal. Make it durable before signing.
    /// - Throws: ``TransportError/Code/unknownToken`` (also when it is another host's), ``TransportError/Code/tokenUsed``,
    ///   ``TransportError/Code/tokenExpired``; ``TransportError/Code/tooManyAttempts`` where `source` has failed too often,
    ///   whatever it shows.
    package func redeem(
        _ token: [UInt8], forHost host: String, publicKey: [UInt8], from source: String, now: WallTime = .now()
    ) throws(TransportError) -> Record {
        let hash = SHA256.digest(of: token)
        let key = SHA256.digest(of: publicKey)
        return try state.withLock { state throws(TransportError) in
            guard state.attempts.allows(source, now: now) else {
                throw TransportError(
                    .tooManyAttempts,
                    "\(source) has shown \(state.attempts.failures) enrolment tokens that were not good within a minute, and is "
                        + "not listened to until that is over")
            }
            do throws(TransportError) {
                return try Self.redeem(hash, forHost: host, key: key, among: &state.records, now: now)
            } catch {
                state.attempts.failed(source, now: now)
                throw error
            }
        }
    }

    private static func redeem(
        _ hash: Digest, forHost host: String, key: Digest, among records: inout [Record], now: WallTime
    ) throws(TransportError) -> Record {
        // Every record is compared, and in constant time: how long this takes says nothing about any token.
        var match: Int?
        for index in records.indices where areEqual(records[index].hash, hash) { match = index }
        guard let index = match, records[index].host == host else {
            throw TransportError(
                .unknownToken, "the enrolment token is not one that this run made for \(String(reflecting: host))")
        }
        if let user = records[index].usedBy, user != key {
            throw TransportError(
                .tokenUsed,
                "the enrolment token of \(host) was used before, with another key. If the host restarted, give it a new "
                    + "token; if it did not, somebody else has read its config disk")
        }
        guard now < records[index].expires else {
            throw TransportError(
                .tokenExpired,
                "the enrolment token of \(host) expired at \(records[index].expires), and it is \(now); give the host a new one"
            )
        }
        records[index].usedBy = key
        return records[index]
    }

    private static func areEqual(_ left: Digest, _ right: Digest) -> Bool {
        CRYPTO_memcmp(left.bytes, right.bytes, Digest.byteCount) == 0
    }
}
