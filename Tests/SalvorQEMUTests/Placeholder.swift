enum SalvorQEMUTestsPlaceholder {}
