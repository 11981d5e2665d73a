import SalvorAzure
import SalvorJSON
import Synchronization
import Testing

/// How long tokens are kept, and how often they are fetched.
@Suite struct TokenCacheTests {
    private static func signIn(_ answer: @escaping SignInService.Answer) -> SignIn {
        SignIn(variables: SignIn.withSecret, service: SignInService(answer))
    }

    /// Answers when it is told to.
    private final class Gate: Sendable {
        let asked: AsyncStream<Void>
        private let ask: AsyncStream<Void>.Continuation
        private let opened: AsyncStream<Void>
        private let opening: AsyncStream<Void>.Continuation

        init() {
            (asked, ask) = AsyncStream.makeStream()
            (opened, opening) = AsyncStream.makeStream()
        }

        func open() { opening.finish() }

        func pass() async throws(AzureError) {
            ask.yield()
            for await _ in opened {}
            if Task.isCancelled {
                ask.yield()
                throw AzureError(.cancelled, "Stopped.", nextStep: "None.")
            }
        }
    }

    @Test("A token is kept until five minutes before its end, or until it says that it wants to be renewed")
    func kept() async throws {
        let signIn = Self.signIn { (_, number) throws(AzureError) in
            number == 2
                ? .json(200, ["access_token": "token-2", "expires_in": 3600, "refresh_in": "1000"])
                : .token("token-\(number)")
        }
        let cache = try signIn.cache()
        func ask() async throws -> String { try await cache.token(for: SignIn.scope).secret }
        #expect(try await ask() == "token-1")
        signIn.time.pass(3299)
        #expect(try await ask() == "token-1")
        signIn.time.pass(1)
        #expect(try await ask() == "token-2")
        signIn.time.pass(999)
        #expect(try await ask() == "token-2")
        signIn.time.pass(1)
        #expect(try await ask() == "token-3")
    }

    @Test("Each scope has its own")
    func scopes() async throws {
        let signIn = Self.signIn { (request, _) throws(AzureError) in .token("for \(request.form["scope"] ?? "")") }
        let cache = try signIn.cache()
        for _ in 0..<2 {
            for scope in [SignIn.scope, "https://vault.azure.net/.default"] {
                #expect(try await cache.token(for: scope).secret == "for \(scope)")
            }
        }
        #expect(signIn.service.requests.count == 2)
    }

    @Test("However many ask at once, it is fetched once")
    func together() async throws {
        let gate = Gate()
        let signIn = Self.signIn { (_, number) throws(AzureError) in
            try await gate.pass()
            return .token("token-\(number)")
        }
        let cache = try signIn.cache()
        try await withThrowingTaskGroup(of: String.self) { tasks in
            for _ in 0..<100 { tasks.addTask { try await cache.token(for: SignIn.scope).secret } }
            for await _ in gate.asked { break }
            gate.open()
            for try await token in tasks { #expect(token == "token-1") }
        }
        #expect(signIn.service.requests.count == 1)
    }

    @Test("While a token is good, a renewal that fails does no harm, and is not repeated at once")
    func failedRenewal() async throws {
        let signIn = Self.signIn { (_, number) throws(AzureError) in
            if number == 1 { return .token("token-1") }
            throw AzureError(.unreachable, "Nothing answers.", nextStep: "None.")
        }
        let cache = try signIn.cache()
        _ = try await cache.token(for: SignIn.scope)
        signIn.time.pass(3400)
        for _ in 0..<5 { #expect(try await cache.token(for: SignIn.scope).secret == "token-1") }
        #expect(signIn.service.requests.count == 2)
        signIn.time.pass(30)
        #expect(try await cache.token(for: SignIn.scope).secret == "token-1")
        #expect(signIn.service.requests.count == 3)
        // Too near to its end for a call.
        signIn.time.pass(130)
        await #expect(throws: AzureError(.unreachable, "", nextStep: "")) {
            try await cache.token(for: SignIn.scope)
        }
    }

    @Test("A token that was refused is forgotten, and a newer one is not")
    func forgotten() async throws {
        let signIn = Self.signIn { (_, number) throws(AzureError) in .token("token-\(number)") }
        let cache = try signIn.cache()
        let first = try await cache.token(for: SignIn.scope)
        await cache.forget(first)
        #expect(try await cache.token(for: SignIn.scope).secret == "token-2")
        await cache.forget(first)
        #expect(try await cache.token(for: SignIn.scope).secret == "token-2")
    }

    @Test("A failure is not kept")
    func failuresPass() async throws {
        let signIn = Self.signIn { (_, number) throws(AzureError) in
            number == 1 ? .refusal(7_000_112) : .token("token")
        }
        let cache = try signIn.cache()
        await #expect(throws: AzureError(.notSignedIn, "", nextStep: "")) {
            try await cache.token(for: SignIn.scope)
        }
        #expect(try await cache.token(for: SignIn.scope).secret == "token")
    }

    @Test("One who gives up waiting takes nothing from the others")
    func oneLeaves() async throws {
        let gate = Gate()
        let signIn = Self.signIn { (_, _) throws(AzureError) in
            try await gate.pass()
            return .token("token")
        }
        let cache = try signIn.cache()
        let patient = Task { try await cache.token(for: SignIn.scope).secret }
        for await _ in gate.asked { break }
        let hasty = Task { try await cache.token(for: SignIn.scope).secret }
        hasty.cancel()
        await #expect(throws: AzureError(.cancelled, "", nextStep: "")) { try await hasty.value }
        gate.open()
        #expect(try await patient.value == "token")
    }

    @Test("When nobody waits any more, fetching ends, and the next one begins anew")
    func allLeave() async throws {
        let gate = Gate()
        let signIn = Self.signIn { (_, number) throws(AzureError) in
            if number == 1 { try await gate.pass() }
            return .token("token-\(number)")
        }
        let cache = try signIn.cache()
        let hasty = Task { try await cache.token(for: SignIn.scope).secret }
        var asked = gate.asked.makeAsyncIterator()
        await asked.next()
        hasty.cancel()
        await #expect(throws: AzureError(.cancelled, "", nextStep: "")) { try await hasty.value }
        // The gate says when its caller has been cancelled.
        await asked.next()
        #expect(try await cache.token(for: SignIn.scope).secret == "token-2")
    }
}
