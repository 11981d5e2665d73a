enum SalvorAgentCoreTestsPlaceholder {}
