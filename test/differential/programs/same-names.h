unsigned first(unsigned x);
unsigned second(unsigned x);
