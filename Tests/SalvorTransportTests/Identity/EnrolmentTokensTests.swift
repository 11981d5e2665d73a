import SalvorDigest
import Testing

@testable import SalvorTransport

@Suite struct EnrolmentTokensTests {
    let tokens = EnrolmentTokens()
    let now = WallTime(secondsSinceEpoch: 1_700_000_000)

    @Test func `a token is good for its host, once`() throws {
        let token = try tokens.issue(forHost: "h", now: now).token
        #expect(token.bytes.count == 32)
        let record = try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], from: "a", now: now)
        #expect(record.usedBy == SHA256.digest(of: [1]))
        #expect(
            code { try tokens.redeem(token.bytes, forHost: "h", publicKey: [2], from: "a", now: now) } == .tokenUsed)
    }

    @Test func `the key that used a token may use it again, because the answer may have been lost`() throws {
        let token = try tokens.issue(forHost: "h", validFor: .seconds(60), now: now).token
        for _ in 0..<2 { _ = try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], from: "a", now: now) }
        #expect(
            code { try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], from: "a", now: now + .seconds(60)) }
                == .tokenExpired)
    }

    @Test func `a token of another host, a guess, and a part of a token are unknown, and use nothing up`() throws {
        let token = try tokens.issue(forHost: "h", now: now).token
        _ = try tokens.issue(forHost: "other", now: now)
        #expect(
            code { try tokens.redeem(token.bytes, forHost: "other", publicKey: [1], from: "a", now: now) }
                == .unknownToken)
        for guess in [[], [0], Array(repeating: 0, count: 32), Array(token.bytes.dropLast()), token.bytes + [0]] {
            #expect(
                code { try tokens.redeem(guess, forHost: "h", publicKey: [1], from: "a", now: now) } == .unknownToken)
        }
        #expect(throws: Never.self) {
            try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], from: "a", now: now)
        }
    }

    @Test func `a token expires`() throws {
        let token = try tokens.issue(forHost: "h", validFor: .seconds(60), now: now).token
        #expect(
            code { try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], from: "a", now: now + .seconds(60)) }
                == .tokenExpired)
        #expect(throws: Never.self) {
            try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], from: "a", now: now + .seconds(59))
        }
    }

    @Test func `a new token voids the one before`() throws {
        let old = try tokens.issue(forHost: "h", now: now).token
        let new = try tokens.issue(forHost: "h", now: now).token
        #expect(old.bytes != new.bytes)
        #expect(
            code { try tokens.redeem(old.bytes, forHost: "h", publicKey: [1], from: "a", now: now) } == .unknownToken)
        #expect(throws: Never.self) { try tokens.redeem(new.bytes, forHost: "h", publicKey: [1], from: "a", now: now) }
    }

    @Test func `what is kept of a token does not give it away, and is enough to go on after a restart`() throws {
        let (token, record) = try tokens.issue(forHost: "h", now: now)
        #expect(record.hash.bytes != token.bytes)
        #expect(record.hash == SHA256.digest(of: token.bytes))
        #expect(!"\(token)".contains(record.hash.hex.prefix(8)))
        let restored = EnrolmentTokens(restoring: tokens.all)
        _ = try restored.redeem(token.bytes, forHost: "h", publicKey: [1], from: "a", now: now)
        let again = EnrolmentTokens(restoring: restored.all)
        #expect(code { try again.redeem(token.bytes, forHost: "h", publicKey: [2], from: "a", now: now) } == .tokenUsed)
    }

    @Test func `N-8: who shows ten tokens that are not good within a minute is not listened to, and others are`() throws
    {
        let token = try tokens.issue(forHost: "h", now: now).token
        func redeem(_ token: [UInt8], from source: String, after seconds: Int) throws(TransportError) {
            _ = try tokens.redeem(
                token, forHost: "h", publicKey: [1], from: source, now: now + .seconds(Int64(seconds)))
        }
        for second in 0..<10 { #expect(code { try redeem([1], from: "stranger", after: second) } == .unknownToken) }
        #expect(code { try redeem([1], from: "stranger", after: 10) } == .tooManyAttempts)
        // What is good is not looked at either, so that no answer tells it from the rest.
        #expect(code { try redeem(token.bytes, from: "stranger", after: 59) } == .tooManyAttempts)
        #expect(throws: Never.self) { try redeem(token.bytes, from: "host", after: 59) }
        #expect(code { try redeem([1], from: "stranger", after: 60) } == .unknownToken)
        #expect(throws: Never.self) { try redeem(token.bytes, from: "stranger", after: 61) }
    }

    @Test func `N-8: very many sources take no more memory than a thousand`() {
        var limit = AttemptLimit(failures: 1, period: .seconds(60), sources: 1000)
        for number in 0..<5000 {
            limit.failed("\(number)", now: now + .milliseconds(Int64(number)))
            #expect(!limit.allows("\(number)", now: now + .seconds(10)))
        }
        #expect(limit.allows("3999", now: now + .seconds(10)))
        #expect(!limit.allows("4000", now: now + .seconds(10)))
    }
}
