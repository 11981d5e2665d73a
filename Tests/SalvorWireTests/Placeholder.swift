enum SalvorWireTestsPlaceholder {}
