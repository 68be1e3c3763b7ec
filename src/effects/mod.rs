//! HANDS: the only room that changes the world.
